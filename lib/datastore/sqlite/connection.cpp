#include "datastore/sqlite/connection.hpp"

#include "datastore/sqlite/reader_vfs.hpp"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace rb::sqlite {

namespace {

/// etcd's largest request is 1.5 MiB; kine keeps the old value beside the new one.
constexpr int k_row_limit_bytes = 64 << 20;
/// Instructions of SQLite's machine between two looks at the stop token.
constexpr int k_instructions = 10'000;

int told_to_stop(void* stop) {
  return static_cast<const std::stop_token*>(stop)->stop_requested() ? 1 : 0;
}

ErrorCode code_of(int primary) {
  switch (primary) {
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_FORMAT:
  case SQLITE_TOOBIG:
    return ErrorCode::corrupt;
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return ErrorCode::busy;
  case SQLITE_INTERRUPT:
  case SQLITE_ABORT:
    return ErrorCode::cancelled;
  case SQLITE_PERM:
  case SQLITE_READONLY:
  case SQLITE_AUTH:
    return ErrorCode::permission_denied;
  default:
    return ErrorCode::io;
  }
}

} // namespace

struct Connection::State {
  std::string subject;
  std::stop_token stop;
  std::unique_ptr<ReaderVfs> vfs; ///< Outlives the handle.
  sqlite3* handle = nullptr;

  State(std::string of, std::stop_token token) : subject(std::move(of)), stop(std::move(token)) {}
  ~State() { ::sqlite3_close_v2(handle); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  State(State&&) = delete;
  State& operator=(State&&) = delete;
};

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  ::sqlite3_finalize(statement);
}

Result<bool> Statement::step() {
  const int code = ::sqlite3_step(m_statement.get());
  if (code == SQLITE_ROW) {
    return true;
  }
  return code == SQLITE_DONE ? Result<bool>(false) : m_connection->error_of(code);
}

std::int64_t Statement::integer(int column) const {
  return ::sqlite3_column_int64(m_statement.get(), column);
}

ByteView Statement::bytes(int column) const {
  const void* const begin = ::sqlite3_column_blob(m_statement.get(), column);
  const int size = ::sqlite3_column_bytes(m_statement.get(), column);
  return begin == nullptr
             ? ByteView()
             : ByteView(static_cast<const std::uint8_t*>(begin), static_cast<std::size_t>(size));
}

void Statement::bind(int parameter, std::string_view text) {
  ::sqlite3_bind_text(
      m_statement.get(), parameter, text.data(), static_cast<int>(text.size()), nullptr);
}

Connection::Connection(std::unique_ptr<State> state) : m_state(std::move(state)) {}
Connection::Connection(Connection&&) noexcept = default;
Connection& Connection::operator=(Connection&&) noexcept = default;
Connection::~Connection() = default;

sqlite3* Connection::handle() const {
  return m_state->handle;
}

Result<Connection> Connection::open_file(const std::string& path,
                                         Access access,
                                         std::chrono::milliseconds patience,
                                         std::stop_token stop) {
  Connection connection(std::make_unique<State>(path, std::move(stop)));
  const int mode = access == Access::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  const int code = ::sqlite3_open_v2(
      path.c_str(), &connection.m_state->handle, mode | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    return connection.error_of(code);
  }
  ::sqlite3_busy_timeout(connection.handle(), static_cast<int>(patience.count()));
  RB_TRY(connection.set_up());
  return connection;
}

Result<Connection> Connection::open_reader(RandomReader& reader, std::stop_token stop) {
  Connection connection(std::make_unique<State>("SQLite database", std::move(stop)));
  State& state = *connection.m_state;
  state.vfs = std::make_unique<ReaderVfs>(reader);
  const int code = ::sqlite3_open_v2(state.vfs->name(),
                                     &state.handle,
                                     SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                                     state.vfs->name());
  if (code != SQLITE_OK) {
    return connection.error_of(code);
  }
  RB_TRY(connection.set_up());
  return connection;
}

/// What https://sqlite.org/security.html asks of who opens a file of unknown origin.
Status Connection::set_up() const {
  sqlite3* const db = handle();
  ::sqlite3_extended_result_codes(db, 1);
  ::sqlite3_limit(db, SQLITE_LIMIT_LENGTH, k_row_limit_bytes);
  ::sqlite3_progress_handler(db, k_instructions, told_to_stop, &m_state->stop);
  constexpr std::pair<int, int> k_settings[] = {{SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},
                                                {SQLITE_DBCONFIG_DEFENSIVE, 1},
                                                {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                                {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
                                                {SQLITE_DBCONFIG_ENABLE_VIEW, 0}};
  for (const auto& [setting, value] : k_settings) {
    ::sqlite3_db_config(db, setting, value, nullptr);
  }
  // The cache is 4 MiB, and nothing is written beside the database.
  return run("PRAGMA wal_autocheckpoint=0; PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; "
             "PRAGMA cache_size=-4096; PRAGMA cell_size_check=ON");
}

Result<Statement> Connection::prepare(const char* sql) const {
  sqlite3_stmt* statement = nullptr;
  const int code = ::sqlite3_prepare_v2(handle(), sql, -1, &statement, nullptr);
  Statement prepared(*this, statement);
  return code == SQLITE_OK ? Result<Statement>(std::move(prepared)) : error_of(code);
}

Status Connection::run(const char* sql) const {
  const int code = ::sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : Status(error_of(code));
}

Error Connection::error_of(int code) const {
  if (m_state->vfs && m_state->vfs->error()) {
    return *m_state->vfs->error();
  }
  const int cause = handle() == nullptr ? 0 : ::sqlite3_system_errno(handle());
  const int primary = code & 0xff;
  if (primary == SQLITE_CANTOPEN && cause != 0) {
    return system_error(cause, m_state->subject + ": open");
  }
  if (code == SQLITE_READONLY_ROLLBACK) { // a reader never rolls back
    return {ErrorCode::io,
            m_state->subject + ": a change was cut off in its midst; what takes it back is in " +
                m_state->subject + "-journal, and only who writes to the database does that",
            "start k3s once (systemctl start k3s), and try again when it is ready"};
  }
  if (primary == SQLITE_FULL) { // of SQLite itself the only reason: there is no limit of pages
    return system_error(ENOSPC, m_state->subject);
  }
  if (primary == SQLITE_IOERR && cause != 0) {
    return system_error(cause, m_state->subject);
  }
  return {code_of(primary), m_state->subject + ": " + ::sqlite3_errstr(code), {}};
}

} // namespace rb::sqlite

#include "support/kine_database.hpp"

#include "support/scratch.hpp"

#include <sqlite3.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace rb::test {

namespace {

constexpr const char* k_schema =
    "CREATE TABLE IF NOT EXISTS kine (id INTEGER PRIMARY KEY AUTOINCREMENT, name INTEGER, "
    "created INTEGER, deleted INTEGER, create_revision INTEGER, prev_revision INTEGER, "
    "lease INTEGER, value BLOB, old_value BLOB);"
    "CREATE INDEX IF NOT EXISTS kine_name_index ON kine (name);"
    "CREATE INDEX IF NOT EXISTS kine_name_id_index ON kine (name, id);"
    "CREATE UNIQUE INDEX IF NOT EXISTS kine_name_prev_revision_uindex ON kine (name, "
    "prev_revision);";

void bind_text(sqlite3_stmt* statement, int at, const std::string& text) {
  ::sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()), nullptr);
}

} // namespace

KineDatabase::KineDatabase(const std::string& path) {
  if (::sqlite3_open(path.c_str(), &m_handle) != SQLITE_OK) {
    throw std::runtime_error(path + ": cannot be opened");
  }
  ::sqlite3_busy_timeout(m_handle, 30'000);
  run("PRAGMA journal_mode=WAL");
  run(k_schema);
}

KineDatabase::~KineDatabase() {
  ::sqlite3_close(m_handle);
}

void KineDatabase::run(const std::string& sql) {
  if (::sqlite3_exec(m_handle, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + ::sqlite3_errmsg(m_handle));
  }
}

std::int64_t KineDatabase::add(const std::string& name, const std::string& value, bool deleted) {
  sqlite3_stmt* statement = nullptr;
  ::sqlite3_prepare_v2(m_handle,
                       "INSERT INTO kine (name, created, deleted, create_revision, prev_revision, "
                       "lease, value, old_value) SELECT ?1, ?2 IS NULL, ?3, 0, "
                       "(SELECT coalesce(max(id), 0) FROM kine WHERE name = ?1), 0, ?2, ''",
                       -1,
                       &statement,
                       nullptr);
  bind_text(statement, 1, name);
  ::sqlite3_bind_blob(statement, 2, value.data(), static_cast<int>(value.size()), nullptr);
  ::sqlite3_bind_int(statement, 3, deleted ? 1 : 0);
  const int code = ::sqlite3_step(statement);
  ::sqlite3_finalize(statement);
  if (code != SQLITE_DONE) {
    throw std::runtime_error(std::string("insert: ") + ::sqlite3_errmsg(m_handle));
  }
  return ::sqlite3_last_insert_rowid(m_handle);
}

std::int64_t KineDatabase::put(const std::string& name, const std::string& value) {
  return add(name, value, false);
}

std::int64_t KineDatabase::remove(const std::string& name) {
  return add(name, {}, true);
}

bool KineDatabase::compact(int patience_milliseconds) {
  run("DELETE FROM kine WHERE id IN (SELECT prev_revision FROM kine WHERE prev_revision > 0)");
  ::sqlite3_busy_timeout(m_handle, patience_milliseconds);
  sqlite3_stmt* statement = nullptr;
  ::sqlite3_prepare_v2(m_handle, "PRAGMA wal_checkpoint(FULL)", -1, &statement, nullptr);
  const bool row = ::sqlite3_step(statement) == SQLITE_ROW;
  const bool whole = row && ::sqlite3_column_int(statement, 0) == 0;
  ::sqlite3_finalize(statement);
  ::sqlite3_busy_timeout(m_handle, 30'000);
  return whole;
}

std::string kine_file(const std::vector<std::pair<std::string, std::string>>& keys) {
  const Scratch scratch;
  {
    KineDatabase database(scratch.path("state.db"));
    for (const auto& [name, value] : keys) {
      database.put(name, value);
    }
  }
  std::ifstream file(scratch.path("state.db"), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

} // namespace rb::test

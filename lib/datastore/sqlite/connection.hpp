// A connection to an SQLite database: a file with SQLite's own locks, or what a RandomReader gives,
// which may be damaged, or made by somebody else. No statement has a text from outside. Private to
// this room.
#pragma once

#include "base/bytes.hpp"
#include "base/random_reader.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace rb::sqlite {

class Connection;

/// Outlived by its connection.
class Statement {
public:
  /// Whether there is a row. Errors: corrupt, busy, cancelled, io, no_space.
  [[nodiscard]] Result<bool> step();

  // Of the row, from 0 on; views are valid until the next step.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] ByteView bytes(int column) const;
  [[nodiscard]] std::string_view text(int column) const { return as_text(bytes(column)); }

  /// `text` outlives the statement.
  void bind(int parameter, std::string_view text);

private:
  friend class Connection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  Statement(const Connection& connection, sqlite3_stmt* statement)
      : m_connection(&connection), m_statement(statement) {}

  const Connection* m_connection;
  std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
};

enum class Access { read, write };

class Connection {
public:
  /// A file that is there; messages begin with its path. A lock of somebody else is waited for as
  /// long as `patience`, here already: opening reads. Closing it never makes a checkpoint.
  /// Errors: not_found, permission_denied, corrupt, busy, io.
  [[nodiscard]] static Result<Connection> open_file(const std::string& path,
                                                    Access access,
                                                    std::chrono::milliseconds patience,
                                                    std::stop_token stop);

  /// Without locks, and without a file beside it. `reader` outlives the connection.
  [[nodiscard]] static Result<Connection> open_reader(RandomReader& reader, std::stop_token stop);

  Connection(Connection&&) noexcept;
  Connection& operator=(Connection&&) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] Result<Statement> prepare(const char* sql) const;
  /// Rows are passed over.
  [[nodiscard]] Status run(const char* sql) const;

  /// What a result code of this connection means.
  [[nodiscard]] Error error_of(int code) const;

  [[nodiscard]] sqlite3* handle() const;

private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  [[nodiscard]] Status set_up() const;

  std::unique_ptr<State> m_state;
};

} // namespace rb::sqlite

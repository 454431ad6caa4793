// A file for SQLite that is read by a RandomReader: a copy that is decrypted in pieces is looked at
// without a plaintext on the disk (https://sqlite.org/c3ref/vfs.html). Private to this room.
#pragma once

#include "base/random_reader.hpp"

#include <sqlite3.h>

#include <optional>
#include <string>

namespace rb::sqlite {

/// Known to SQLite under a name of its own as long as it lives; the one file in it has that name,
/// too. The file is immutable: no locks, no journal, no write-ahead log are looked for.
class ReaderVfs {
public:
  explicit ReaderVfs(RandomReader& reader);
  ~ReaderVfs();
  ReaderVfs(const ReaderVfs&) = delete;
  ReaderVfs& operator=(const ReaderVfs&) = delete;
  ReaderVfs(ReaderVfs&&) = delete;
  ReaderVfs& operator=(ReaderVfs&&) = delete;

  [[nodiscard]] const char* name() const { return m_name.c_str(); }
  /// Of the reader, which SQLite knows as a failed read only.
  [[nodiscard]] const std::optional<Error>& error() const { return m_error; }

  [[nodiscard]] int read(void* buffer, int size, sqlite3_int64 offset);
  [[nodiscard]] RandomReader& reader() { return *m_reader; }

private:
  RandomReader* m_reader;
  std::string m_name;
  std::optional<Error> m_error;
  sqlite3_vfs m_vfs{};
};

} // namespace rb::sqlite

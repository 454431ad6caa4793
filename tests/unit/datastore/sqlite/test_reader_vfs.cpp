// What SQLite may do with a file that only a reader gives: read it, and nothing else.
#include "datastore/sqlite/reader_vfs.hpp"
#include "support/kine_database.hpp"

#include <doctest/doctest.h>

#include <array>
#include <memory>

using namespace rb;
using namespace rb::sqlite;
using test::kine_file;

namespace {

/// Tells where it was read, and fails at one place.
class WatchedReader final : public RandomReader {
public:
  explicit WatchedReader(std::string bytes) : m_bytes(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t size() const override { return m_bytes.size(); }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override {
    furthest = std::max(furthest, offset + buffer.size());
    if (offset >= fails_from) {
      return Error{ErrorCode::corrupt, "chunk 7 is not authentic", {}};
    }
    return MemoryReader(as_bytes(m_bytes)).read(offset, buffer);
  }

  std::uint64_t furthest = 0;
  std::uint64_t fails_from = UINT64_MAX;

private:
  std::string m_bytes;
};

struct Close {
  void operator()(sqlite3* handle) const { ::sqlite3_close_v2(handle); }
};
using Handle = std::unique_ptr<sqlite3, Close>;

Handle open(const ReaderVfs& vfs, int mode = SQLITE_OPEN_READONLY) {
  sqlite3* handle = nullptr;
  REQUIRE(::sqlite3_open_v2(vfs.name(), &handle, mode, vfs.name()) == SQLITE_OK);
  return Handle(handle);
}

int run(const Handle& handle, const std::string& sql) {
  return ::sqlite3_exec(handle.get(), sql.c_str(), nullptr, nullptr, nullptr);
}

/// The first column of the only row; -1: there is none.
std::int64_t number(const Handle& handle, const char* sql) {
  std::int64_t result = -1;
  const auto take = [](void* into, int, char** values, char**) {
    *static_cast<std::int64_t*>(into) = std::stoll(values[0]);
    return 0;
  };
  CHECK(::sqlite3_exec(handle.get(), sql, take, &result, nullptr) == SQLITE_OK);
  return result;
}

constexpr const char* k_count = "SELECT count(*) FROM kine";

std::string file_of(std::size_t rows) {
  std::vector<std::pair<std::string, std::string>> keys;
  for (std::size_t i = 0; i < rows; ++i) {
    keys.emplace_back("/registry/pods/default/" + std::to_string(i), std::string(500, 'x'));
  }
  return kine_file(keys);
}

} // namespace

TEST_CASE("a database is read through the reader, one with a write-ahead log in its header, too") {
  std::string bytes = file_of(50);
  for (const char version : {'\1', '\2'}) { // https://sqlite.org/fileformat.html, at 18 and 19
    bytes[18] = bytes[19] = version;
    WatchedReader reader(bytes);
    const ReaderVfs vfs(reader);
    const Handle handle = open(vfs);
    CHECK(number(handle, k_count) == 50);
    CHECK(run(handle, "PRAGMA integrity_check") == SQLITE_OK);
    CHECK_FALSE(vfs.error());
    CHECK(reader.furthest == bytes.size());
  }
}

TEST_CASE(
    "nothing is written, whoever asks for it, and the file counts as one that never changes") {
  WatchedReader reader(file_of(5));
  const ReaderVfs vfs(reader);
  const Handle handle = open(vfs, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  for (const char* const sql : {"DELETE FROM kine",
                                "CREATE TABLE more (a)",
                                "PRAGMA user_version=7",
                                "PRAGMA application_id=7",
                                "REINDEX"}) {
    CAPTURE(std::string(sql));
    CHECK(run(handle, sql) == SQLITE_READONLY);
  }
  CHECK(number(handle, k_count) == 5);
  CHECK(::sqlite3_db_readonly(handle.get(), "main") == 1);

  sqlite3_file* file = nullptr;
  REQUIRE(::sqlite3_file_control(handle.get(), "main", SQLITE_FCNTL_FILE_POINTER, &file) ==
          SQLITE_OK);
  const sqlite3_io_methods& methods = *file->pMethods;
  CHECK(methods.xWrite(file, "x", 1, 0) == SQLITE_READONLY);
  CHECK(methods.xTruncate(file, 0) == SQLITE_READONLY);
  CHECK((methods.xDeviceCharacteristics(file) & SQLITE_IOCAP_IMMUTABLE) != 0);
  sqlite3_vfs* const found = ::sqlite3_vfs_find(vfs.name());
  REQUIRE(found != nullptr);
  CHECK(found->xDelete(found, "x", 0) == SQLITE_READONLY);
}

TEST_CASE("what does not fit into memory is not put on a disk: the question fails") {
  WatchedReader reader(file_of(1));
  const ReaderVfs vfs(reader);
  const Handle handle = open(vfs);
  const std::string sorted = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE "
                             "i < 20000) SELECT i, hex(zeroblob(200)) AS b FROM n ORDER BY b, -i";
  REQUIRE(run(handle, "PRAGMA cache_size=10; PRAGMA temp_store=FILE") == SQLITE_OK);
  CHECK(run(handle, sorted) == SQLITE_CANTOPEN);
  REQUIRE(run(handle, "PRAGMA temp_store=MEMORY") == SQLITE_OK);
  CHECK(run(handle, sorted) == SQLITE_OK);
}

TEST_CASE("past the end there are zeros, and SQLite is told that it was less") {
  WatchedReader reader("0123456789");
  ReaderVfs vfs(reader);
  const auto read = [&](int size, sqlite3_int64 offset, int code) {
    std::array<char, 8> buffer{};
    buffer.fill('?');
    CHECK(vfs.read(buffer.data(), size, offset) == code);
    return std::string(buffer.data(), buffer.size());
  };
  using namespace std::string_literals;
  CHECK(read(4, 0, SQLITE_OK) == "0123????");
  CHECK(read(4, 6, SQLITE_OK) == "6789????");
  CHECK(read(4, 8, SQLITE_IOERR_SHORT_READ) == "89\0\0????"s);
  CHECK(read(4, 10, SQLITE_IOERR_SHORT_READ) == "\0\0\0\0????"s);
  CHECK(read(4, 1 << 30, SQLITE_IOERR_SHORT_READ) == "\0\0\0\0????"s);
  CHECK(reader.furthest == 10); // nothing was asked for that the reader has not
  CHECK_FALSE(vfs.error());
}

TEST_CASE("the error of the reader is kept, since SQLite knows only that a read failed") {
  WatchedReader reader(file_of(200));
  reader.fails_from = 4096;
  const ReaderVfs vfs(reader);
  const Handle handle = open(vfs);
  CHECK(run(handle, "SELECT count(*) FROM sqlite_master") == SQLITE_OK);
  CHECK_FALSE(vfs.error());
  CHECK(run(handle, k_count) == SQLITE_IOERR);
  REQUIRE(vfs.error());
  CHECK(vfs.error()->code == ErrorCode::corrupt);
  CHECK(vfs.error()->message == "chunk 7 is not authentic");
}

TEST_CASE("each has a name of its own as long as it lives, and is nobody's default") {
  const std::string usual = ::sqlite3_vfs_find(nullptr)->zName;
  WatchedReader small(file_of(1));
  WatchedReader large(file_of(9));
  std::string gone;
  {
    const ReaderVfs one(small);
    const ReaderVfs other(large);
    CHECK(std::string(one.name()) != other.name());
    CHECK(number(open(one), k_count) == 1);
    CHECK(number(open(other), k_count) == 9);
    CHECK(::sqlite3_vfs_find(nullptr)->zName == usual);
    gone = other.name();
  }
  CHECK(::sqlite3_vfs_find(gone.c_str()) == nullptr);
  CHECK(::sqlite3_vfs_find(nullptr)->zName == usual);
}

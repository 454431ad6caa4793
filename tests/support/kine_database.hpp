// The database of a k3s server in SQLite, as kine makes it: open with a write-ahead log as long as
// this lives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

struct sqlite3;

namespace rb::test {

class KineDatabase {
public:
  /// Makes the table in a file that is not there, or opens the one that is.
  explicit KineDatabase(const std::string& path);
  ~KineDatabase();
  KineDatabase(const KineDatabase&) = delete;
  KineDatabase& operator=(const KineDatabase&) = delete;
  KineDatabase(KineDatabase&&) = delete;
  KineDatabase& operator=(KineDatabase&&) = delete;

  /// A row; returns its id: the revision.
  std::int64_t put(const std::string& name, const std::string& value = {});
  std::int64_t remove(const std::string& name);
  /// Old rows go, and the whole log into the file, as kine does it every five minutes. False: a
  /// reader was in the way for as long as the patience lasts.
  bool compact(int patience_milliseconds = 0);
  void run(const std::string& sql);

private:
  std::int64_t add(const std::string& name, const std::string& value, bool deleted);

  sqlite3* m_handle = nullptr;
};

/// The bytes of a whole database without a log: each key is put, in this order.
[[nodiscard]] std::string kine_file(const std::vector<std::pair<std::string, std::string>>& keys);

} // namespace rb::test

#include "set/backup_log.hpp"
#include "set/names.hpp"
#include "support/fault_disk.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::set;

namespace {

LogLine line() {
  return {parse_rfc3339("2026-11-22T02:00:41Z").value(),
          "backup",
          "Completed",
          "20261122T020000Z",
          {{"etcd_bytes", "1234"}},
          {}};
}

} // namespace

TEST_CASE("format_log_line is one line of words") {
  CHECK(format_log_line(line()) ==
        "2026-11-22T02:00:41Z backup result=Completed run=20261122T020000Z etcd_bytes=1234\n");
}

TEST_CASE("format_log_line quotes, and keeps a line a line") {
  LogLine bad = line();
  bad.result = "StorageFull";
  bad.message = "disk \"sda\" is full\nand \x1b[31mred\\";
  CHECK(format_log_line(bad) ==
        "2026-11-22T02:00:41Z backup result=StorageFull run=20261122T020000Z etcd_bytes=1234 "
        "message=\"disk \\\"sda\\\" is full?and ?[31mred\\\\\"\n");
  bad.message = std::string(5000, 'x');
  CHECK(format_log_line(bad).size() < 1200);
}

TEST_CASE("append_log appends, and starts anew when the log is full") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  REQUIRE(append_log(directory, line()));
  REQUIRE(append_log(directory, line()));
  const Bytes two = disk.contents().at(std::string(k_log_name));
  CHECK(std::count(two.begin(), two.end(), '\n') == 2);

  disk.put(std::string(k_log_name), Bytes(k_log_limit_bytes, 'x'));
  disk.put(std::string(k_old_log_name), Bytes{1});
  REQUIRE(append_log(directory, line()));
  CHECK(disk.contents().at(std::string(k_old_log_name)).size() == k_log_limit_bytes);
  CHECK(as_text(disk.contents().at(std::string(k_log_name))) == format_log_line(line()));
}

TEST_CASE("append_log: after the beginning of a line, which a full disk left, comes a new line") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  LogLine full = line();
  full.result = "StorageFull";
  const std::string whole = format_log_line(full);
  for (const std::size_t kept : {whole.size() - 1, whole.size() - 9, std::size_t{30}}) {
    CAPTURE(kept);
    const Bytes torn(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(kept));
    disk.put(std::string(k_log_name), torn);
    LogLine next = line();
    next.run_id = "20261123T020000Z";
    REQUIRE(append_log(directory, next));
    CHECK(has_line(directory, "backup", "20261123T020000Z").value());
    CHECK(read_last_line(directory, "backup").value()->result == "Completed");
    CHECK(as_text(disk.contents().at(std::string(k_log_name))) ==
          whole.substr(0, kept) + "\n" + format_log_line(next));
  }
}

TEST_CASE("has_line finds the line of a run, also in the log before, and no other action's") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  const auto there = [&](const char* action, const char* run_id) {
    return has_line(directory, action, run_id).value();
  };
  CHECK_FALSE(there("backup", "20261122T020000Z"));
  REQUIRE(append_log(directory, line()));
  LogLine drill = line();
  drill.action = "drill";
  drill.run_id = "20261123T020000Z";
  REQUIRE(append_log(directory, drill));
  CHECK(there("backup", "20261122T020000Z"));
  CHECK_FALSE(there("backup", "20261123T020000Z"));
  CHECK_FALSE(there("backup", "20261122T020001Z"));
  REQUIRE(directory.fs().rename_over(std::string(k_log_name), std::string(k_old_log_name)));
  CHECK(there("backup", "20261122T020000Z"));
}

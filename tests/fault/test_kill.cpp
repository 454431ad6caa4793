// SIGKILL at every kind of system call of a run: the earlier set stays as it was, the next run
// clears up without help, and no plaintext remains. strace(1) delivers the signal.
#include "fault/fake_host.hpp"

#include "artifact/directory.hpp"
#include "artifact/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

using namespace rb;
using namespace rb::test;

namespace {

constexpr const char* k_strace = "/usr/bin/strace";

struct Point {
  std::string call;
  unsigned number;
};

Result<ProcessResult>
trace(const FakeHost& host, const std::string& run_id, std::vector<std::string> options) {
  ProcessSpec spec;
  spec.program = k_strace;
  spec.arguments = std::move(options);
  spec.arguments.insert(spec.arguments.end(), {RB_RUN_ONCE, host.scratch.path(), run_id});
  spec.environment = {{"PATH", "/usr/bin:/bin"}};
  RealProcessRunner processes;
  return processes.run(spec, {});
}

/// The calls that change something on the disk, and how often the busiest thread makes each.
std::vector<Point> points_of(FakeHost& host) {
  const std::string counts = host.scratch.path("counts");
  const auto traced =
      trace(host, host.next_order().run_id, {"-f", "-qq", "-c", "-U", "name,calls", "-o", counts});
  REQUIRE(traced);
  REQUIRE(traced->exit_status == 0);
  const std::vector<std::string> changing{"openat",
                                          "write",
                                          "fsync",
                                          "renameat2",
                                          "unlinkat",
                                          "unlink",
                                          "renameat",
                                          "flock",
                                          "sync_file_range",
                                          "clone3",
                                          "vfork",
                                          "close"};
  std::vector<Point> points;
  std::istringstream lines(host.scratch.read("counts"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    unsigned calls = 0;
    if (words >> name >> calls &&
        std::find(changing.begin(), changing.end(), name) != changing.end()) {
      // Seven places of each are enough, the ends included.
      const unsigned step = std::max(1U, calls / 6);
      for (unsigned number = 1; number <= calls; number += step) {
        points.push_back({name, number});
      }
      points.push_back({name, calls});
    }
  }
  return points;
}

bool is_whole(const FakeHost& host) {
  auto directory = artifact::Directory::open_existing(host.settings.backup_dir).value();
  const auto sets = artifact::list_sets(directory).value();
  return std::all_of(sets.begin(), sets.end(), [&](const artifact::BackupSet& set) {
    if (set.state != artifact::SetState::complete) {
      return false;
    }
    const auto checks = artifact::verify_set(directory, *set.manifest).value();
    return std::all_of(checks.begin(), checks.end(), [](const artifact::FileCheck& check) {
      return check.verdict == artifact::FileVerdict::intact;
    });
  });
}

} // namespace

TEST_CASE("killed anywhere, a run harms no earlier set, and the next one clears up") {
  REQUIRE_MESSAGE(std::filesystem::exists(k_strace), "this test needs strace");
  FakeHost host;
  const auto points = points_of(host);
  REQUIRE(points.size() > 20);
  unsigned killed = 0;
  for (const Point& point : points) {
    CAPTURE(point.call);
    CAPTURE(point.number);
    const auto before = host.backups();
    const auto traced =
        trace(host,
              host.next_order().run_id,
              {"-f",
               "-qq",
               "-o",
               "/dev/null",
               "-e",
               "trace=" + point.call,
               "-e",
               "inject=" + point.call + ":signal=SIGKILL:when=" + std::to_string(point.number)});
    REQUIRE(traced);
    killed += traced->signal == SIGKILL || traced->exit_status == 128 + SIGKILL ? 1U : 0U;
    // The stamp is replaced and old sets go only when the new set is whole.
    const auto after = host.backups();
    const bool new_stamp =
        after.contains(".last-backup") && after.at(".last-backup") != before.at(".last-backup");
    if (!new_stamp && after.size() > before.size()) {
      auto kept = before;
      std::erase_if(kept, [&](const auto& file) { return !after.contains(file.first); });
      CHECK(is_untouched(kept, after));
    }

    host.clock.time += std::chrono::hours(1);
    const auto next =
        trace(host, host.next_order().run_id, {"-f", "-qq", "-o", "/dev/null", "-e", "trace=none"});
    REQUIRE(next);
    CAPTURE(next->err);
    CHECK(next->exit_status == 0);
    CHECK(is_whole(host));
    CHECK(host.snapshots().empty());
    CHECK(host.leaks().empty());
    for (const auto& [name, content] : host.backups()) {
      CHECK_FALSE(name.ends_with(".part"));
    }
  }
  MESSAGE("killed ", killed, " of ", points.size(), " runs");
  CHECK(killed > points.size() / 3);
}

// Disks and processes with too little of something: bytes, inodes, file size, descriptors.
#include "fault/disk/mounts.hpp"
#include "fault/process/campaign.hpp"

#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

using namespace rb;
using namespace rb::test;

namespace {

/// A run that fails says `words`, leaves no set and no part; one that succeeds leaves its set.
Findings look_at(FakeHost& host, const Sets& before, const std::string& words, Tally& tally) {
  const auto order = host.next_order();
  const auto report = host.run(order);
  Findings findings = check_sets(host) + check_history(before, host, 7);
  const bool whole = complete_sets(host).contains(order.run_id);
  tally.count(report.succeeded() ? "succeeded" : "failed clean");
  if (report.succeeded() != whole && report.message.find("the set is whole") == std::string::npos) {
    findings.push_back("the report does not agree with the disk: " + report.message);
  }
  if (!report.succeeded() && report.message.find(words) == std::string::npos) {
    findings.push_back("the cause is not named: " + report.message);
  }
  for (const auto& [name, content] : host.backups()) {
    if (name.ends_with(".part")) {
      findings.push_back("left: " + name);
    }
  }
  return findings;
}

/// What the files take, in blocks of 4 KiB, and the root of the tree.
std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t bytes = 16384;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    bytes += (entry.file_size() + 4095) / 4096 * 4096;
  }
  return bytes;
}

void limit(int what, std::size_t value) {
  const rlimit limits{value, value};
  ::setrlimit(static_cast<__rlimit_resource>(what), &limits);
}

/// The operation under a limit of the process.
void run_under(int what, std::size_t first, std::size_t step, std::size_t steps, Tally& tally) {
  FakeHost host;
  host.scratch.write("tool", "the static program");
  REQUIRE(host.run().succeeded());
  REQUIRE(host.run().succeeded());
  Operation operation(host, "backup");
  for (const std::size_t number : numbers(steps, 8)) {
    const std::size_t value = first + number * step;
    operation.limits = [=] { limit(what, value); };
    const Sets before = complete_sets(host);
    const Attempt attempt = operation.meet([](const Call&) { return false; }, 0, {});
    const int code = attempt.traced.exit_code;
    tally.count(code == 0                    ? "succeeded"
                : attempt.traced.signal != 0 ? "ended by the kernel"
                                             : "failed clean");
    Findings findings = check_sets(host) + check_history(before, host, 2);
    if (code == 0 && !complete_sets(host).contains(attempt.run_id)) {
      findings.push_back("success was reported, but there is no complete set");
    }
    tally.tried("limit " + std::to_string(value), findings + check_next_run(host));
  }
}

} // namespace

TEST_CASE("a disk with 0 to 504 KiB free after the snapshot") {
  FakeHost host;
  const Tmpfs small(host.settings.backup_dir, "size=96m");
  REQUIRE_MESSAGE(small.mounted(), "this test needs root");
  host.scratch.write("bin/fill", host.settings.backup_dir + "/filler");
  Tally tally("small disks, in steps of 8 KiB");
  REQUIRE(host.run().succeeded());
  for (const std::size_t step : numbers(64, 16)) {
    host.scratch.write("bin/leave", std::to_string(step * 8));
    host.play("leaves-little");
    const Sets before = complete_sets(host);
    const Findings findings = look_at(host, before, "no space left on device", tally);
    std::filesystem::remove(host.settings.backup_dir + "/filler");
    host.play("");
    tally.tried(std::to_string(step * 8) + " KiB", findings + check_next_run(host));
  }
  CHECK(tally.report());
  CHECK(tally.counted("succeeded") > 0);
  CHECK(tally.counted("failed clean") > 0);
}

TEST_CASE("a quota of the disk: EDQUOT from the file system itself") {
  FakeHost host;
  const LoopDisk disk(host.settings.backup_dir, "btrfs", "noatime");
  REQUIRE_MESSAGE(disk.mounted(), "this test needs root and mkfs.btrfs");
  Tally tally("quotas with 0 to 1008 KiB left, in steps of 16 KiB");
  REQUIRE(host.run().succeeded());
  for (const std::size_t step : numbers(64, 12)) {
    const Sets before = complete_sets(host);
    REQUIRE(disk.set_quota(bytes_below(host.settings.backup_dir) + step * 16384));
    Findings findings = look_at(host, before, "disk quota exceeded", tally);
    REQUIRE(disk.lift_quota());
    tally.tried(std::to_string(step * 16) + " KiB", findings + check_next_run(host));
  }
  CHECK(tally.report());
  CHECK(tally.counted("succeeded") > 0);
  CHECK(tally.counted("failed clean") > 0);
}

TEST_CASE("a disk with few inodes") {
  Tally tally("disks with 2 to 24 inodes");
  for (const std::size_t inodes : numbers(23, 8)) {
    FakeHost host;
    const Tmpfs small(host.settings.backup_dir, "size=96m,nr_inodes=" + std::to_string(inodes + 2));
    REQUIRE_MESSAGE(small.mounted(), "this test needs root");
    tally.tried(std::to_string(inodes + 2) + " inodes",
                look_at(host, {}, "no space left on device", tally) +
                    look_at(host, complete_sets(host), "no space left on device", tally));
  }
  CHECK(tally.report());
  CHECK(tally.counted("succeeded") > 0);
  CHECK(tally.counted("failed clean") > 0);
}

TEST_CASE("limits of the process: size of files, number of descriptors") {
  Tally sizes("RLIMIT_FSIZE, in steps of 8 KiB");
  run_under(RLIMIT_FSIZE, 0, 8192, 48, sizes);
  CHECK(sizes.report());
  CHECK(sizes.counted("succeeded") > 0);
  Tally descriptors("RLIMIT_NOFILE from 3");
  run_under(RLIMIT_NOFILE, 3, 1, 20, descriptors);
  CHECK(descriptors.report());
  CHECK(descriptors.counted("succeeded") > 0);
}

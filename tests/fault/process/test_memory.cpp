// The agent's backup with a limit of memory: it keeps to one that a pod may have, and one that is
// far too small costs the run, and nothing else.
#include "fault/process/campaign.hpp"
#include "fault/process/memory_group.hpp"

#include <doctest/doctest.h>

#include <csignal>

using namespace rb;
using namespace rb::test;

namespace {

constexpr std::size_t k_mebibyte = std::size_t{1} << 20U;

/// The operation in a group of that limit, without any other fault.
Attempt run_within(Operation& operation, std::size_t limit_bytes) {
  const MemoryGroup group(limit_bytes);
  REQUIRE_MESSAGE(group.made(), "this test needs root and the memory controller of cgroups");
  operation.limits = [&group] { group.join(); };
  Attempt attempt = operation.meet([](const Call&) { return false; }, 0, {});
  REQUIRE(attempt.traced.exit_code != 77);
  return attempt;
}

} // namespace

TEST_CASE("a snapshot of 96 MiB is backed up within 48 MiB of memory, page cache included") {
  FakeHost host;
  host.scratch.write("tool", "the static program");
  host.use_snapshot(96 * k_mebibyte);
  Operation operation(host, "backup");
  const Attempt attempt = run_within(operation, 48 * k_mebibyte);
  INFO(attempt.traced.err);
  CHECK(attempt.traced.signal == 0);
  CHECK(attempt.traced.exit_code == 0);
  CHECK(complete_sets(host).contains(attempt.run_id));
  CHECK(check_sets(host).empty());
}

TEST_CASE("memory that ends in the middle: the kernel kills, and nothing is lost") {
  FakeHost host;
  host.scratch.write("tool", "the static program");
  REQUIRE(host.run().succeeded());
  REQUIRE(host.run().succeeded());
  Operation operation(host, "backup");
  Tally tally("memory limits of 1 to 24 MiB");
  for (const std::size_t number : numbers(47, 10)) {
    const std::size_t limit_bytes = k_mebibyte + number * k_mebibyte / 2;
    const Sets before = complete_sets(host);
    const Attempt attempt = run_within(operation, limit_bytes);
    const bool whole = complete_sets(host).contains(attempt.run_id);
    tally.count(attempt.traced.signal == SIGKILL ? "killed"
                : attempt.traced.exit_code == 0  ? "succeeded"
                                                 : "failed clean");
    Findings findings = check_sets(host) + check_history(before, host, 2);
    if (attempt.traced.signal == 0 && (attempt.traced.exit_code == 0) != whole) {
      findings.push_back("it ended with " + std::to_string(attempt.traced.exit_code) +
                         ", and there is " + (whole ? "a" : "no") +
                         " complete set: " + attempt.traced.err);
    }
    tally.tried(std::to_string(limit_bytes >> 10U) + " KiB", findings + check_next_run(host));
  }
  CHECK(tally.report());
  CHECK(tally.counted("killed") > 0);
  CHECK(tally.counted("succeeded") > 0);
}

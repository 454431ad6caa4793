// Clocks that jump: no set is lost to one, none is made twice, and retention holds its hand while
// the clock is behind the newest set.
#include "fault/process/invariants.hpp"
#include "set/retention.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::test;

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr seconds k_jumps[] = {seconds(1),
                               seconds(59),
                               seconds(61),
                               minutes(5),
                               hours(1),
                               hours(25),
                               days(31),
                               days(366),
                               days(3653)};

/// A run with keepLast 1 after the clock has moved by `jump`.
Findings run_after(seconds jump, Tally& tally) {
  FakeHost host;
  for (int i = 0; i < 3; ++i) {
    if (!host.run().succeeded()) {
      return {"a run without a jump fails"};
    }
  }
  const Sets before = complete_sets(host);
  const SystemTime newest = host.clock.time;
  host.clock.time += jump;
  auto order = host.next_order();
  order.keep_last = 1;
  const auto report = host.run(order);
  const Sets after = complete_sets(host);
  Findings findings = check_sets(host);
  const auto* pruned = api::find_condition(report.status.conditions, "Pruned");
  const bool behind = host.clock.time + set::k_clock_tolerance < newest;
  if (before.contains(order.run_id)) {
    // The very second of a set: nothing is written over, and it says so.
    tally.count("of a second that was used");
    if (report.succeeded() || after != before) {
      findings.push_back("a second that was used is used again");
    }
    return findings;
  }
  if (!report.succeeded() || !after.contains(order.run_id)) {
    findings.push_back("the run fails: " + report.message);
  }
  const bool all = std::all_of(before.begin(), before.end(), [&after](const auto& set) {
    const auto found = after.find(set.first);
    return found != after.end() && found->second == set.second;
  });
  if (behind) {
    tally.count("with the clock behind");
    if (!all) {
      findings.push_back("a set was removed while the clock was behind the newest");
    }
    if (pruned == nullptr || pruned->reason != "ClockAnomaly") {
      findings.push_back("the clock is not named");
    } else if (pruned->message.find("/*-" + format_run_id(newest) + ".*") == std::string::npos) {
      findings.push_back("the set that is ahead is not named: " + pruned->message);
    }
  }
  if (after.empty()) {
    findings.push_back("no set is left");
  }
  return findings;
}

} // namespace

TEST_CASE("a clock that jumps by a second to ten years, both ways, costs no set") {
  Tally tally("clock jumps");
  for (const seconds jump : k_jumps) {
    for (const seconds by : {jump, -jump}) {
      tally.tried("by " + std::to_string(by.count()) + " s", run_after(by, tally));
    }
  }
  // Minutes before it are the seconds of the sets that are there.
  for (const int back : {1, 2, 3}) {
    tally.tried("by " + std::to_string(-back) + " min", run_after(minutes(-back), tally));
  }
  CHECK(tally.report());
  CHECK(tally.counted("with the clock behind") >= 6);
}

TEST_CASE("a clock that goes on and off through every run leaves whole sets") {
  FakeHost host;
  Tally tally("runs under a clock that swings");
  const SystemTime start = host.clock.time;
  for (int i = 0; i < (long_campaign() ? 60 : 12); ++i) {
    host.clock.time = start + seconds(60 * i) +
                      (i % 3 == 1   ? days(2)
                       : i % 3 == 2 ? -hours(5)
                                    : seconds());
    auto order = host.next_order();
    order.keep_last = 3;
    const Sets before = complete_sets(host);
    const auto report = host.run(order);
    Findings findings = check_sets(host);
    if (!report.succeeded()) {
      findings.push_back("the run fails: " + report.message);
    }
    for (const auto& [run_id, files] : complete_sets(host)) {
      const auto found = before.find(run_id);
      if (found != before.end() && found->second != files) {
        findings.push_back("set " + run_id + " has changed");
      }
    }
    if (complete_sets(host).size() < std::min<std::size_t>(3, static_cast<std::size_t>(i) + 1)) {
      findings.push_back("fewer sets than are to be kept");
    }
    tally.tried("run " + std::to_string(i), findings);
  }
  CHECK(tally.report());
}

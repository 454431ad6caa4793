// BackupCurrent over thousands of made-up worlds: it never claims what fresh facts do not prove.
#include "controller/backup_status.hpp"
#include "support/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::status;
using api::AttemptResult;
using api::ConditionStatus;
using std::chrono::seconds;

namespace {

const SystemTime k_now = parse_rfc3339("2026-11-23T09:00:00Z").value();
constexpr seconds k_interval{86400};

SystemTime some_time(test::Random& random) {
  // Never, long ago, around the bound, lately, or in the future.
  switch (random.below(5)) {
  case 0:
    return {};
  case 1:
    return k_now - seconds(k_interval * 10);
  case 2:
    return k_now - allowed_age(k_interval) + seconds(static_cast<int>(random.below(7)) - 3);
  case 3:
    return k_now - seconds(random.below(3600));
  default:
    return k_now + seconds(random.below(300));
  }
}

NodeSeen some_node(test::Random& random, unsigned number) {
  NodeSeen node;
  node.facts.node_name = "server-" + std::to_string(number);
  node.facts.last_success_time = some_time(random);
  if (node.facts.last_success_time != SystemTime{}) {
    node.facts.last_success_run_id = format_run_id(node.facts.last_success_time);
  }
  node.facts.last_attempt_time = some_time(random);
  node.facts.last_attempt_result = static_cast<AttemptResult>(random.below(4));
  node.facts.last_attempt_reason = "Reason";
  node.facts.clock_anomaly = random.below(20) == 0;
  node.silence = seconds(random.below(3) == 0 ? 301 + random.below(9999) : random.below(301));
  return node;
}

CurrentInput some_world(test::Random& random) {
  CurrentInput input;
  input.now = k_now;
  input.expected_interval = random.below(8) == 0 ? seconds(0) : k_interval;
  const auto count = static_cast<unsigned>(random.below(4));
  for (unsigned number = 0; number < count; ++number) {
    input.nodes.push_back(some_node(random, number));
  }
  if (random.below(2) == 0) {
    const bool succeeded = random.below(2) == 0;
    input.last_run = api::LastRun{"run",
                                  "",
                                  some_time(random),
                                  succeeded,
                                  random.below(2) == 0 ? "Incomplete" : "StorageFull"};
  }
  if (random.below(3) == 0) {
    input.active_run =
        ActiveRun{"run", k_now - seconds(random.below(1200)), k_now - seconds(random.below(120))};
  }
  for (auto starts = random.below(6); starts > 0; --starts) {
    input.controller_starts.push_back(k_now - seconds(random.below(7200)));
  }
  return input;
}

bool is_fresh(const CurrentInput& input, const NodeSeen& node) {
  return node.silence <= input.facts_limit;
}

bool proves_current(const CurrentInput& input) {
  return std::ranges::any_of(input.nodes, [&](const NodeSeen& node) {
    const seconds age = input.now - node.facts.last_success_time;
    return is_fresh(input, node) && !node.facts.clock_anomaly && age >= -seconds(60) &&
           age <= allowed_age(input.expected_interval);
  });
}

ConditionStatus status_of(const CurrentInput& input) {
  return status_of(judge(input).reason);
}

} // namespace

TEST_CASE("True is said only of a young complete backup that a fresh report speaks of") {
  test::Random random = test::Random::seeded();
  int seen_true = 0;
  for (int i = 0; i < 20000; ++i) {
    const CurrentInput input = some_world(random);
    if (status_of(input) != ConditionStatus::true_) {
      continue;
    }
    ++seen_true;
    REQUIRE(input.expected_interval.count() > 0);
    REQUIRE(proves_current(input));
    REQUIRE(recent_starts(input.controller_starts, input.now) < k_many_starts);
    REQUIRE_FALSE((input.active_run && is_stalled(*input.active_run, input.now)));
  }
  CHECK(seen_true > 100);
}

TEST_CASE("what a silent node says has no weight: forgetting it changes True for nobody") {
  test::Random random = test::Random::seeded();
  for (int i = 0; i < 20000; ++i) {
    const CurrentInput input = some_world(random);
    CurrentInput fresh = input;
    std::erase_if(fresh.nodes, [&](const NodeSeen& node) { return !is_fresh(input, node); });
    REQUIRE((status_of(input) == ConditionStatus::true_) ==
            (status_of(fresh) == ConditionStatus::true_));
    if (fresh.nodes.empty()) {
      REQUIRE(status_of(input) == ConditionStatus::unknown);
    }
    if (status_of(input) == ConditionStatus::false_) {
      REQUIRE(fresh.nodes.size() == input.nodes.size()); // False is a claim, too
    }
  }
}

TEST_CASE("time alone never makes an old backup current, nor one that is missing appear") {
  test::Random random = test::Random::seeded();
  for (int i = 0; i < 5000; ++i) {
    CurrentInput input = some_world(random);
    const CurrentReason before = judge(input).reason;
    input.now += allowed_age(k_interval) + seconds(400);
    const CurrentReason after = judge(input).reason;
    REQUIRE(after != CurrentReason::current);
    if (before == CurrentReason::stale) {
      REQUIRE(after == CurrentReason::stale);
    }
  }
}

TEST_CASE("the condition keeps its transition time while its status stays, over restarts") {
  test::Random random = test::Random::seeded();
  const controller::Expectation expectation{"0 2 * * *", "Etc/UTC", {}};
  for (int i = 0; i < 2000; ++i) {
    controller::BackupStatusView view;
    view.exists = true;
    view.nodes = some_world(random).nodes;
    const auto first = controller::backup_status_of(view, expectation, k_now);
    view.conditions = first.conditions; // as a new controller reads it
    const SystemTime later = k_now + seconds(random.below(200000));
    const auto second = controller::backup_status_of(view, expectation, later);
    const api::Condition& before = first.conditions.at(0);
    const api::Condition& after = second.conditions.at(0);
    REQUIRE(before.type == "BackupCurrent");
    REQUIRE(second.conditions.size() == 1);
    REQUIRE(after.last_transition_time ==
            (after.status == before.status ? before.last_transition_time : later));
    const auto same = controller::backup_status_of(view, expectation, k_now);
    REQUIRE_FALSE(controller::says_more(same, first));
  }
}

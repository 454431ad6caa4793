// What becomes of a run that this process did not see begin: after a restore, after a restart.
#include "world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using api::Reason;
using std::chrono::seconds;

namespace {

/// The world of `observed` a day later, out of a restored etcd: this process sees all of it for the
/// first time.
Observed restored(Observed observed) {
  observed.now += std::chrono::hours{24};
  observed.memory.clear();
  for (const auto& [uid, backup] : observed.backups) {
    observed.unfinished_for[uid] = seconds{0};
  }
  for (auto& [name, silence] : observed.order_silence) {
    silence = seconds{0};
  }
  return observed;
}

void pass(Observed& observed, int by_seconds) {
  observed.now += seconds{by_seconds};
  for (auto& [uid, age] : observed.unfinished_for) {
    age += seconds{by_seconds};
  }
  for (auto& [name, silence] : observed.order_silence) {
    silence += seconds{by_seconds};
  }
}

} // namespace

TEST_CASE("after a restore, the agent's word counts for a run far past its deadline") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  settle(observed);
  observed = restored(observed);
  CHECK(plan(observed).empty());
  pass(observed, 299); // pods come up again
  CHECK(plan(observed).empty());
  finish(observed, "uid-b"); // from the manifest
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(observed.backups.at("uid-b").status.artifacts.size() == 4);
  CHECK(observed.backups.at("uid-b").status.etcd->revision == 42);
  CHECK(observed.backups.at("uid-b").status.run_id == "20260101T020100Z");
}

TEST_CASE(
    "after a restore, a run without an order is asked for, past its deadline and without Helm") {
  Observed observed = restored(begun());
  observed.recipients_problem = RecipientsProblem{Reason::recipient_missing, "none"};
  const Plan asked = plan(observed);
  const auto* create = only_action<CreateOrder>(asked);
  REQUIRE(create != nullptr);
  CHECK(create->order.spec.run_id == "20260101T020100Z");
  CHECK(create->order.spec.deadline < observed.now);
  CHECK_FALSE(create->order.spec.helm_payload);
  carry_out(asked, observed);
  settle(observed);
  CHECK(observed.memory["uid-b"].helm == std::nullopt);
  api::NodeBackup& order = observed.orders.at("uid-b");
  for (const api::ArtifactType artifact : order.spec.artifacts) {
    order.status.artifacts.push_back({artifact, "file", 1, std::string(64, 'b')});
  }
  order.status.conditions = {
      condition(api::condition_type::k_succeeded, ConditionStatus::true_, Reason::completed),
      condition(api::condition_type::k_verified, ConditionStatus::true_, Reason::completed)};
  settle(observed);
  const auto& status = observed.backups.at("uid-b").status;
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(api::find_condition(status.conditions, api::condition_type::k_helm_values_collected)
            ->message == "found in the set on the disk");
}

TEST_CASE("after a restore, a run of which nothing is on the disk ends, and is not run again") {
  Observed observed = restored(begun());
  settle(observed);
  fail(observed, "uid-b", Reason::deadline_exceeded, "no set on the disk");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "DeadlineExceeded");
  CHECK(succeeded(observed, "uid-b").message == "no set on the disk");
  const auto& status = observed.backups.at("uid-b").status;
  CHECK(api::find_condition(status.conditions, api::condition_type::k_helm_values_collected)
            ->status == ConditionStatus::false_);
  pass(observed, 100'000);
  CHECK(plan(observed).empty());
}

TEST_CASE("after a restore, a request that had waited runs: once, and after what was in progress") {
  // In the snapshot of run b, c waited behind it. What became of c nobody can tell: it has no run
  // id.
  Observed observed = begun();
  add(observed, backup("c", 30));
  settle(observed);
  REQUIRE(succeeded(observed, "uid-c").reason == "Queued");
  observed = restored(observed);
  settle(observed);
  CHECK(observed.backups.at("uid-c").status.run_id.empty());
  fail(observed, "uid-b", Reason::interrupted, "nothing on the disk");
  settle(observed);
  const auto& status = observed.backups.at("uid-c").status;
  CHECK(status.run_id > observed.backups.at("uid-b").status.run_id);
  CHECK(status.start_time == observed.now); // a backup of the restored cluster, and dated so
  accept(observed, "uid-c");
  finish(observed, "uid-c");
  settle(observed);
  CHECK(succeeded(observed, "uid-c").status == ConditionStatus::true_);
  pass(observed, 100'000);
  CHECK(plan(observed).empty());
}

TEST_CASE("after a restore, nobody waits for ever for an agent") {
  Observed unordered = restored(begun());
  unordered.agents.clear();
  CHECK(plan(unordered).empty());
  CHECK(plan(unordered).requeue_after == seconds{300});
  pass(unordered, 300);
  settle(unordered);
  CHECK(succeeded(unordered, "uid-b").reason == "DeadlineExceeded");

  Observed taken = with_order();
  accept(taken, "uid-b");
  settle(taken);
  taken = restored(taken);
  pass(taken, 300);
  settle(taken);
  CHECK(succeeded(taken, "uid-b").reason == "DeadlineExceeded");
}

TEST_CASE("a run that is resumed before its deadline gives the agent the same time") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  settle(observed);
  observed.now += seconds{600};
  observed.unfinished_for["uid-b"] = seconds{0};
  pass(observed, 299);
  CHECK(plan(observed).empty());
  observed.order_silence["uid-b"] = seconds{91}; // it was heard of, and fell silent
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
}

TEST_CASE("a run that began in the sight of this process has its usual limits") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  observed.unfinished_for["uid-b"] = seconds{0};
  settle(observed);
  pass(observed, 91);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
}

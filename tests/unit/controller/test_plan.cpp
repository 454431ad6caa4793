// The controller's decisions, as a specification: what is seen -> what is done next.
#include "controller/plan.hpp"
#include "controller/summary.hpp"
#include "world.hpp"

#include "api/backup.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using api::Reason;
namespace type = api::condition_type;

namespace {

const api::Condition& condition_of(const api::ClusterBackupStatus& status, std::string_view name) {
  return *api::find_condition(status.conditions, name);
}

/// A run that began then, and succeeded.
api::ClusterBackup done_at(SystemTime time) {
  auto done = backup("done");
  done.status.run_id = format_run_id(time);
  done.status.conditions = {
      condition(type::k_succeeded, ConditionStatus::true_, Reason::completed)};
  return done;
}

} // namespace

TEST_CASE("an empty cluster needs nothing") {
  CHECK(plan(cluster()).empty());
  CHECK_FALSE(plan(cluster()).requeue_after);
}

TEST_CASE(
    "a new request first gets its run id, start time and all conditions, and nothing is made") {
  Observed observed = cluster();
  add(observed, backup("b"));
  const Plan first = plan(observed);
  CHECK(first.actions.empty());
  REQUIRE(first.statuses.size() == 1);
  const api::ClusterBackupStatus& status = first.statuses[0].status;
  CHECK(status.run_id == "20260101T020100Z");
  CHECK(status.start_time == observed.now);
  CHECK(status.observed_generation == 1);
  CHECK(status.conditions.size() == 7);
  CHECK(condition_of(status, type::k_succeeded).status == ConditionStatus::unknown);
  CHECK(condition_of(status, type::k_succeeded).reason == "Running");
  CHECK(condition_of(status, type::k_verified).reason == "Pending");
  CHECK(first.statuses[0].resource_version == "1");
  CHECK_FALSE(first.statuses[0].event);
}

TEST_CASE("then the Helm values are collected, then the order is made, then we wait") {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed);
  const Plan announced = plan(observed);
  CHECK(announced.actions.empty());
  REQUIRE(announced.statuses.size() == 1);
  CHECK(condition_of(announced.statuses[0].status, type::k_helm_values_collected).reason ==
        "Running");
  carry_out(announced, observed);
  const Plan second = plan(observed);
  REQUIRE(only_action<CollectHelm>(second) != nullptr);
  CHECK(only_action<CollectHelm>(second)->run_id == "20260101T020100Z");
  carry_out(second, observed);
  const Plan third = plan(observed);
  const auto* create = only_action<CreateOrder>(third);
  REQUIRE(create != nullptr);
  CHECK(create->order.meta.name == "uid-b");
  CHECK(create->order.meta.controller_owner->uid == "uid-b");
  CHECK(create->order.spec.node_name == "n1");
  CHECK(create->order.spec.artifacts.size() == 4);
  CHECK(create->order.spec.keep_last == 7);
  CHECK(create->order.spec.manual);
  CHECK(create->order.spec.deadline == observed.now + std::chrono::seconds{3600});
  CHECK(create->order.spec.helm_payload->config_maps.size() == 1);
  carry_out(third, observed);
  settle(observed);
  const api::ClusterBackupStatus& status = observed.backups.at("uid-b").status;
  CHECK(condition_of(status, type::k_scheduled).status == ConditionStatus::true_);
  CHECK(condition_of(status, type::k_helm_values_collected).message == "3 releases");
  CHECK(status.node_name == "n1");
  CHECK(plan(observed).requeue_after == std::chrono::seconds{60});
}

TEST_CASE("a request that says nothing keeps what the cluster is configured to keep") {
  const auto ordered = [](std::optional<std::int32_t> asked, bool scheduled) {
    Observed observed = cluster();
    observed.settings.keep_last = 30;
    add(observed, backup("b"));
    observed.backups.at("uid-b").spec.keep_last = asked;
    observed.backups.at("uid-b").spec.scheduled = scheduled;
    observed.backups.at("uid-b").spec.artifacts = {api::ArtifactType::datastore};
    carry_out(plan(observed), observed);
    return only_action<CreateOrder>(plan(observed))->order.spec;
  };
  CHECK(ordered({}, false).keep_last == 30);
  CHECK(ordered({}, true).keep_last == 30);
  CHECK(ordered(3, true).keep_last == 3);
  CHECK(ordered({}, false).manual);
  CHECK_FALSE(ordered({}, true).manual);
}

TEST_CASE("a Helm step that is begun and lost twice is left out, and the snapshot is ordered") {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed); // run id
  for (const char* reason : {"Running", "RunningAgain"}) {
    carry_out(plan(observed), observed); // announced
    CHECK(condition_of(observed.backups.at("uid-b").status, type::k_helm_values_collected).reason ==
          reason);
    CHECK(only_action<CollectHelm>(plan(observed)) != nullptr);
    observed.memory.clear(); // and the process is no more
  }
  const Plan third = plan(observed);
  const auto* create = only_action<CreateOrder>(third);
  REQUIRE(create != nullptr);
  REQUIRE(create->order.spec.missing.size() == 1);
  CHECK(create->order.spec.missing[0].type == api::ArtifactType::helm_values);
  CHECK(create->order.spec.missing[0].reason == Reason::collection_lost);
  CHECK_FALSE(create->order.spec.helm_payload);
  carry_out(third, observed);
  accept(observed, "uid-b");
  settle(observed);
  finish(observed, "uid-b");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Incomplete");
  CHECK(condition_of(observed.backups.at("uid-b").status, type::k_helm_values_collected).reason ==
        "CollectionLost");
}

TEST_CASE(
    "an announcement whose answer was lost, and a new term of the same process, lose nothing") {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed);
  const Plan announced = plan(observed);
  carry_out(announced, observed);
  CHECK(only_action<CollectHelm>(plan(observed)) != nullptr);
  CHECK(only_action<CollectHelm>(plan(observed)) != nullptr); // again after a failure in passing
  observed.memory["uid-b"].helm_begun = 2;                    // a write that never arrived
  const Plan again = plan(observed);
  CHECK(again.actions.empty());
  CHECK(again.statuses.at(0).helm_attempt == 2);
}

TEST_CASE("the Helm step has a quarter of the deadline, and five minutes at most") {
  Observed observed = cluster();
  auto hurried = backup("b");
  hurried.spec.deadline_seconds = 100;
  add(observed, hurried);
  carry_out(plan(observed), observed);
  carry_out(plan(observed), observed);
  CHECK(only_action<CollectHelm>(plan(observed))->time_limit == std::chrono::seconds{25});
  observed.backups.at("uid-b").spec.deadline_seconds = 36000;
  CHECK(only_action<CollectHelm>(plan(observed))->time_limit == std::chrono::seconds{300});
}

TEST_CASE("a request without HelmValues asks nobody for releases") {
  Observed observed = cluster();
  auto request = backup("b");
  request.spec.artifacts = {api::ArtifactType::kubeconfig};
  add(observed, request);
  carry_out(plan(observed), observed);
  CHECK(only_action<CreateOrder>(plan(observed)) != nullptr);
  const auto& status = observed.backups.at("uid-b").status;
  CHECK(condition_of(status, type::k_helm_values_collected).reason == "NotRequested");
  CHECK(condition_of(status, type::k_snapshot_taken).reason == "NotRequested");
}

TEST_CASE("a finished order becomes the result, once, with one event, and the payload goes") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  settle(observed);
  finish(observed, "uid-b");
  const Plan result = plan(observed);
  REQUIRE(result.statuses.size() == 1);
  CHECK(result.actions.empty());
  CHECK(result.statuses[0].event->reason == "Completed");
  CHECK_FALSE(result.statuses[0].event->warning);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  const auto& status = observed.backups.at("uid-b").status;
  CHECK(status.total_size_bytes == 4000);
  CHECK(status.etcd->revision == 42);
  CHECK(status.helm->releases == 3);
  CHECK(status.completion_time == observed.now);
  CHECK(observed.payload_runs.empty());
  CHECK(observed.orders.contains("uid-b"));
  CHECK(plan(observed).empty());
}

TEST_CASE("two requests run one after the other, the older one first") {
  Observed observed = cluster();
  add(observed, backup("younger", 5));
  add(observed, backup("older", 0));
  settle(observed);
  CHECK(observed.orders.size() == 1);
  CHECK(observed.orders.contains("uid-older"));
  const auto& waiting = observed.backups.at("uid-younger").status;
  CHECK(condition_of(waiting, type::k_scheduled).status == ConditionStatus::false_);
  CHECK(condition_of(waiting, type::k_scheduled).reason == "Queued");
  CHECK(waiting.run_id.empty());
  accept(observed, "uid-older");
  finish(observed, "uid-older");
  observed.now += std::chrono::seconds{1};
  settle(observed);
  CHECK(observed.orders.contains("uid-younger"));
}

TEST_CASE("requests of the same second go by name; a started run goes before an older request") {
  Observed observed = cluster();
  add(observed, backup("b"));
  add(observed, backup("a"));
  CHECK(active_run(observed)->meta.name == "a");
  observed.backups["uid-b"].status.run_id = "20260101T015900Z";
  CHECK(active_run(observed)->meta.name == "b");
}

TEST_CASE("two runs never share a run id") {
  Observed observed = cluster();
  add(observed, done_at(observed.now));
  observed.newest_run_id = format_run_id(observed.now);
  add(observed, backup("next"));
  const Plan waits = plan(observed);
  CHECK(waits.empty());
  CHECK(waits.requeue_after == std::chrono::seconds{1});
  observed.now += std::chrono::seconds{1};
  settle(observed);
  CHECK(observed.backups.at("uid-next").status.run_id == format_run_id(observed.now));
}

TEST_CASE("the run id of an object that is gone is not given again") {
  Observed observed = cluster();
  observed.newest_run_id = format_run_id(observed.now);
  add(observed, backup("next"));
  CHECK(plan(observed).empty());
}

TEST_CASE("after the clock jumped back, a run does not wait for the clock to catch up") {
  Observed observed = cluster();
  add(observed, done_at(observed.now));
  observed.newest_run_id = format_run_id(observed.now + std::chrono::hours{2});
  add(observed, backup("next"));
  settle(observed);
  CHECK(observed.backups.at("uid-next").status.run_id ==
        format_run_id(observed.now + std::chrono::seconds{1}));
}

TEST_CASE("a failed run does not stop the next one") {
  Observed observed = with_order();
  add(observed, backup("next", 5));
  accept(observed, "uid-b");
  fail(observed, "uid-b", Reason::snapshot_failed, "k3s said no");
  observed.now += std::chrono::seconds{1};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "SnapshotFailed");
  CHECK(succeeded(observed, "uid-b").message == "k3s said no");
  CHECK(observed.orders.contains("uid-next"));
}

TEST_CASE("another controller takes over from what is observed") {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed); // run id
  carry_out(plan(observed), observed); // the Helm step is announced
  carry_out(plan(observed), observed); // and done
  const std::string run_id = observed.backups.at("uid-b").status.run_id;
  SUBCASE("killed before the order: the Helm step is done again, the run id stays") {
    observed.memory.clear();
    carry_out(plan(observed), observed); // announced once more
    REQUIRE(only_action<CollectHelm>(plan(observed)) != nullptr);
    CHECK(only_action<CollectHelm>(plan(observed))->run_id == run_id);
  }
  SUBCASE("killed after the order: it is not made again") {
    settle(observed);
    observed.memory.clear();
    CHECK(plan(observed).empty());
    accept(observed, "uid-b");
    finish(observed, "uid-b");
    settle(observed);
    CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  }
  CHECK(observed.backups.at("uid-b").status.run_id == run_id);
}

TEST_CASE("a run that came back with a restored cluster is never run again") {
  Observed observed = with_order();
  accept(observed, "uid-b", "a-pod-of-the-old-cluster");
  observed.memory.clear();
  observed.now += std::chrono::hours{30};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "DeadlineExceeded");
  CHECK_FALSE(observed.orders.contains("uid-b"));
  CHECK(plan(observed).empty());
}

TEST_CASE("deleting a ClusterBackup withdraws an order in progress and its payload") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  observed.backups.clear();
  const Plan cleanup = plan(observed);
  REQUIRE(cleanup.actions.size() == 2);
  CHECK(std::get<DeleteOrder>(cleanup.actions[0]).owner == "b");
  CHECK(std::get<DeletePayload>(cleanup.actions[1]).run_uid == "uid-b");
}

TEST_CASE("an order that a person made is left alone") {
  Observed observed = cluster();
  api::NodeBackup order;
  order.meta.name = "by-hand";
  observed.orders["by-hand"] = order;
  CHECK(plan(observed).empty());
}

TEST_CASE("orphaned payloads are swept") {
  Observed observed = cluster();
  observed.payload_runs.insert("uid-gone");
  CHECK(only_action<DeletePayload>(plan(observed))->run_uid == "uid-gone");
}

TEST_CASE("a request that is deleted while it waits is not started") {
  Observed observed = cluster();
  auto request = backup("b");
  request.meta.deletion_timestamp = observed.now;
  add(observed, request);
  CHECK(plan(observed).empty());
}

TEST_CASE("a run whose ClusterBackup is being deleted is interrupted and its order withdrawn") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  observed.backups["uid-b"].meta.deletion_timestamp = observed.now;
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
  CHECK(observed.orders.empty());
}

TEST_CASE("ttlSecondsAfterFinished removes the object when it has passed, not earlier") {
  Observed observed = with_order();
  observed.backups["uid-b"].spec.ttl_seconds_after_finished = 100;
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  settle(observed);
  observed.now += std::chrono::seconds{99};
  CHECK(plan(observed).empty());
  CHECK(plan(observed).requeue_after == std::chrono::seconds{1});
  observed.now += std::chrono::seconds{1};
  CHECK(only_action<DeleteBackup>(plan(observed))->uid == "uid-b");
}

TEST_CASE("what the agent says of the copy off-site comes into an ended status, and nothing else") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  settle(observed);
  const auto before = observed.backups.at("uid-b").status;
  REQUIRE(succeeded(observed, "uid-b").status == api::ConditionStatus::true_);
  auto& order = observed.orders.at("uid-b");
  for (const auto& [value, reason] :
       {std::pair{api::ConditionStatus::false_, Reason::remote_unreachable},
        std::pair{api::ConditionStatus::true_, Reason::completed}}) {
    api::set_condition(
        order.status.conditions, condition(type::k_replicated, value, reason), observed.now);
    order.status.artifacts.clear(); // whatever else changes is none of its business now
    settle(observed);
    CHECK(plan(observed).empty());
    auto after = observed.backups.at("uid-b").status;
    CHECK(api::find_condition(after.conditions, type::k_replicated)->status == value);
    std::erase_if(after.conditions,
                  [](const api::Condition& found) { return found.type == type::k_replicated; });
    CHECK(same_status(before, after));
  }
}

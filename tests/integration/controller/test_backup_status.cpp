// BackupStatus on a real API server: who writes what, and what it says over restarts.
#include "controller_process.hpp"
#include "scripted_agent.hpp"

#include "api/backup_status.hpp"
#include "kube/resource.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::test;

namespace {

std::optional<api::BackupStatus> backup_status(Cluster& cluster) {
  const auto object = cluster.client().get({kube::k_backup_statuses, "", "cluster", ""});
  return object ? std::optional(api::backup_status_from_json(*object).value()) : std::nullopt;
}

api::Condition current(Cluster& cluster) {
  const auto object = backup_status(cluster);
  const api::Condition* condition =
      object ? api::find_condition(object->status.conditions, "BackupCurrent") : nullptr;
  return condition == nullptr ? api::Condition{} : *condition;
}

bool becomes(Cluster& cluster, const std::string& reason) {
  return Cluster::eventually([&] { return current(cluster).reason == reason; });
}

/// As an agent says it.
Status say(Cluster& cluster,
           const std::string& node,
           SystemTime report_time,
           SystemTime last_success,
           std::int64_t sets = 7) {
  api::NodeFacts facts;
  facts.node_name = node;
  facts.report_time = report_time;
  facts.last_success_time = last_success;
  facts.last_success_run_id =
      last_success == SystemTime{} ? std::string() : format_run_id(last_success);
  facts.complete_sets = sets;
  facts.artifacts[api::ArtifactType::datastore] = {last_success, 100, 90};
  const auto written = cluster.client().patch({kube::k_backup_statuses, "", "cluster", "status"},
                                              kube::PatchType::apply,
                                              api::agent_apply(facts),
                                              {},
                                              "agent-of-" + node);
  return written ? Status() : Status(written.error());
}

std::size_t events_of(Cluster& cluster, const std::string& backup) {
  const auto events = cluster.client().list_all(kube::k_events, "default");
  REQUIRE(events);
  return static_cast<std::size_t>(std::ranges::count_if(*events, [&](const nlohmann::json& event) {
    return event.at("regarding").value("name", "") == backup;
  }));
}

} // namespace

TEST_CASE("the controller makes the object; each agent keeps its own entry in it") {
  Cluster cluster;
  const ControllerProcess controller(cluster);
  REQUIRE(becomes(cluster, "AgentUnavailable"));
  CHECK(current(cluster).status == api::ConditionStatus::unknown);

  REQUIRE(say(cluster, "n1", time_here(), {}, 0));
  REQUIRE(becomes(cluster, "NeverRan"));
  CHECK(current(cluster).status == api::ConditionStatus::false_);
  REQUIRE(say(cluster, "n2", time_here(), time_here() - std::chrono::hours(1)));
  REQUIRE(becomes(cluster, "Current"));

  const auto object = backup_status(cluster);
  CHECK(object->status.nodes.size() == 2);
  CHECK(object->status.last_success_node == "n2");
  CHECK(object->status.expected_interval_seconds == 86400);
  CHECK(object->status.next_schedule_time.has_value());
  CHECK(object->status.observed_time.has_value());
  REQUIRE(say(
      cluster, "n2", time_here() + std::chrono::seconds(1), time_here() - std::chrono::hours(40)));
  REQUIRE(becomes(cluster, "Stale"));
}

TEST_CASE(
    "what was said survives a restart, and what is old proves nothing to the next controller") {
  Cluster cluster;
  {
    const ControllerProcess controller(cluster, "one");
    REQUIRE(Cluster::eventually([&] { return backup_status(cluster).has_value(); }));
    REQUIRE(say(cluster, "n1", time_here(), time_here() - std::chrono::hours(1)));
    REQUIRE(becomes(cluster, "Current"));
  }
  const api::Condition before = current(cluster);
  const auto observed = backup_status(cluster)->status.observed_time;
  {
    const ControllerProcess controller(cluster, "two");
    // At once in general; a minute later where it led within the second of the last word.
    REQUIRE(
        Cluster::eventually([&] { return backup_status(cluster)->status.observed_time > observed; },
                            std::chrono::seconds(90)));
    CHECK(current(cluster).status == before.status);
    CHECK(current(cluster).last_transition_time == before.last_transition_time);
  }
  // Nobody was there for an hour: an agent's word of then is no proof now.
  REQUIRE(
      say(cluster, "n1", time_here() - std::chrono::hours(1), time_here() - std::chrono::hours(2)));
  const ControllerProcess controller(cluster, "three");
  REQUIRE(becomes(cluster, "FactsStale"));
  CHECK(current(cluster).status == api::ConditionStatus::unknown);
  REQUIRE(say(cluster, "n1", time_here(), time_here() - std::chrono::hours(2)));
  REQUIRE(becomes(cluster, "Current"));
}

TEST_CASE("a run that fails is said there, and it has one Event") {
  Cluster cluster;
  const ControllerProcess controller(cluster);
  REQUIRE(Cluster::eventually([&] { return backup_status(cluster).has_value(); }));
  REQUIRE(say(cluster, "n1", time_here(), time_here() - std::chrono::hours(1)));
  REQUIRE(becomes(cluster, "Current"));
  REQUIRE(cluster.create_backup("fails-there", nlohmann::json::object())); // there is no agent
  cluster.wait_finished("fails-there");
  REQUIRE(becomes(cluster, "LastFailed"));
  CHECK(backup_status(cluster)->status.last_run->name == "fails-there");
  CHECK(backup_status(cluster)->status.last_run->reason == "AgentUnavailable");
  REQUIRE(Cluster::eventually([&] { return events_of(cluster, "fails-there") > 0; }));
  CHECK(events_of(cluster, "fails-there") == 1);
}

TEST_CASE("there is one BackupStatus, and its fields are held to the schema") {
  Cluster cluster;
  auto second = api::new_backup_status();
  second["metadata"]["name"] = "another";
  const auto refused = cluster.client().create(kube::k_backup_statuses, "", second);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().http_status == 422);
  CHECK(refused.error().message.find("the name must be cluster") != std::string::npos);
  REQUIRE(cluster.client().create(kube::k_backup_statuses, "", api::new_backup_status()));
  const auto odd = cluster.client().patch({kube::k_backup_statuses, "", "cluster", "status"},
                                          kube::PatchType::merge,
                                          {{"status", {{"expectedIntervalSeconds", -1}}}});
  REQUIRE_FALSE(odd);
  CHECK(odd.error().http_status == 422);
}

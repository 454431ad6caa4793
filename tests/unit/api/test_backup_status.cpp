// BackupStatus on its way through the API.
#include "api/backup_status.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::api;

namespace {

SystemTime at(const char* text) {
  return parse_rfc3339(text).value();
}

NodeFacts facts() {
  NodeFacts facts;
  facts.node_name = "server-1";
  facts.agent_id = "pod-uid";
  facts.report_time = at("2026-11-22T02:01:00Z");
  facts.version = "0.1.0";
  facts.datastore = Datastore::embedded_etcd;
  facts.member = Member::learner;
  facts.address = "10.0.0.1";
  facts.public_key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
  facts.last_success_run_id = "20261122T020000Z";
  facts.last_success_time = at("2026-11-22T02:00:41Z");
  facts.last_success_k3s_version = "v1.34.4+k3s1";
  facts.last_success_proof = "Proven";
  facts.last_attempt_time = at("2026-11-22T02:00:41Z");
  facts.last_attempt_result = AttemptResult::succeeded;
  facts.last_attempt_reason = "Completed";
  facts.artifacts[ArtifactType::datastore] = {at("2026-11-22T02:00:41Z"), 100, 90};
  facts.etcd_revision = 4711;
  facts.etcd_keys = 815;
  facts.helm_releases = 3;
  facts.helm_undecodable = 1;
  facts.recipients = 2;
  facts.recipient_rule = "creation rule 2 (path_regex dev/.*)";
  facts.complete_sets = 7;
  facts.incomplete_sets = 1;
  facts.damaged_sets = 1;
  facts.old_recipient_sets = 2;
  facts.untrusted_sets = 1;
  facts.untrusted_files = 2;
  facts.retained_bytes = 700;
  facts.disk_free_bytes = 5000;
  facts.disk_size_bytes = 9000;
  facts.next_run_bytes = 125;
  facts.last_drill_time = at("2026-11-22T05:30:00Z");
  facts.last_drill_result = "Passed";
  facts.last_drill_run_id = "20261122T020000Z";
  facts.last_drill_seconds = 2;
  facts.last_drill_booted = true;
  facts.last_verify_time = at("2026-11-22T06:00:00Z");
  facts.last_verify_result = "Damaged";
  facts.last_verify_sets = 7;
  facts.last_verify_bad_sets = 1;
  facts.last_restore_time = at("2026-11-01T00:00:00Z");
  facts.clock_anomaly = true;
  return facts;
}

} // namespace

TEST_CASE("the facts of a node come back as they went") {
  CHECK(from_json_fields<NodeFacts>(to_json(facts())).value() == facts());
  NodeFacts none;
  none.node_name = "n";
  CHECK(from_json_fields<NodeFacts>(to_json(none)).value() == none);
  CHECK(to_json(none).size() == 2); // what never happened is left out
}

TEST_CASE("a disk that calls itself endless is as large as the schema takes it") {
  NodeFacts endless = facts();
  endless.disk_free_bytes = endless.disk_size_bytes = std::uint64_t{1} << 63U; // Amazon EFS
  const nlohmann::json json = to_json(endless);
  CHECK(json["diskFreeBytes"] == 9007199254740991);
  CHECK(json["diskSizeBytes"] == 9007199254740991);
  CHECK(json["retainedBytes"] == 700);
}

TEST_CASE("a newer agent may say more than we know") {
  nlohmann::json json = to_json(facts());
  json["artifacts"].push_back({{"type", "Volumes"}, {"sizeBytes", 1}});
  json["lastAttemptResult"] = "Undecided";
  json["datastore"] = "Etched";
  const auto read = from_json_fields<NodeFacts>(json);
  REQUIRE(read);
  CHECK(read->artifacts.size() == 1);
  CHECK(read->last_attempt_result == AttemptResult::none);
  CHECK(read->datastore == Datastore::unknown);
}

TEST_CASE("what an agent sends is its own entry and nothing else") {
  const auto object = agent_apply(facts());
  CHECK(object["metadata"]["name"] == "cluster");
  CHECK(object["status"].size() == 1);
  CHECK(object["status"]["nodes"].size() == 1);
}

TEST_CASE("what the controller sends is read back; the entries of agents are not in it") {
  BackupStatusStatus status;
  status.conditions = {
      {"BackupCurrent", ConditionStatus::true_, "Current", "m", at("2026-11-22T02:01:00Z"), 1}};
  status.observed_time = at("2026-11-22T02:01:00Z");
  status.schedule = "0 2 * * *";
  status.time_zone = "Etc/UTC";
  status.next_schedule_time = at("2026-11-23T02:00:00Z");
  status.expected_interval_seconds = 86400;
  status.last_success_time = at("2026-11-22T02:00:41Z");
  status.last_success_run_id = "20261122T020000Z";
  status.last_success_node = "server-1";
  status.last_run =
      LastRun{"nightly", "20261122T020000Z", at("2026-11-22T02:00:41Z"), true, "Completed"};
  nlohmann::json object = controller_apply(status);
  CHECK_FALSE(object["status"].contains("nodes"));
  object["status"]["nodes"] = nlohmann::json::array({to_json(facts()), {{"nodeName", 7}}});
  const auto read = backup_status_from_json(object);
  REQUIRE(read);
  CHECK(read->status.conditions == status.conditions);
  CHECK(read->status.last_run == status.last_run);
  CHECK(read->status.next_schedule_time == status.next_schedule_time);
  REQUIRE(read->status.nodes.size() == 1); // the odd one is left out
  CHECK(read->status.nodes[0] == facts());
}

TEST_CASE("what the receivers were told comes back as it went, and is written apart") {
  ReceiverState webhook{"Webhook", at("2026-11-01T00:00:00Z"), {}, {}, {}};
  webhook.topics = {{"run", at("2026-11-22T02:00:41Z"), true},
                    {"drill/server-1", at("2026-11-22T05:30:00Z"), false}};
  webhook.failing_since = at("2026-11-22T06:00:00Z");
  webhook.last_error = "ntfy.sh: HTTP 500";
  const ReceiverState dead_man{"DeadMan", at("2026-11-01T00:00:00Z"), {}, {}, {}};
  nlohmann::json object = notified_apply({webhook, dead_man});
  CHECK(object["status"].size() == 1);
  CHECK(object["status"]["notified"][1].size() == 2); // what never happened is left out
  const auto read = backup_status_from_json(object);
  REQUIRE(read);
  CHECK(read->status.notified == std::vector{webhook, dead_man});
  CHECK_FALSE(controller_apply(read->status)["status"].contains("notified"));
  // What cannot be read is left out, and nothing else with it.
  object["status"]["notified"][0]["topics"].push_back({{"topic", "run"}});
  object["status"]["notified"].push_back({{"receiver", 7}});
  CHECK(backup_status_from_json(object)->status.notified == std::vector{webhook, dead_man});
}

TEST_CASE("the silence of a controller is written apart from the facts of a node") {
  const auto object = missed_apply("server-1", at("2026-11-22T02:00:00Z"));
  CHECK(object["status"]["nodes"][0].size() == 2);
  CHECK(backup_status_from_json(object)->status.nodes[0].controller_missed_since ==
        at("2026-11-22T02:00:00Z"));
  CHECK(missed_apply("server-1", {})["status"]["nodes"][0].size() == 1);
}

TEST_CASE("an object of another shape is refused") {
  CHECK_FALSE(backup_status_from_json(
      {{"metadata", {{"name", "cluster"}}}, {"status", {{"conditions", 1}}}}));
  CHECK(backup_status_from_json({{"metadata", {{"name", "cluster"}}}})->status.nodes.empty());
}

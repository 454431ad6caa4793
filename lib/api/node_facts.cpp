#include "api/node_facts.hpp"

#include "api/json_fields.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace rb::api {

namespace {

constexpr std::array<AttemptResult, 4> k_results{AttemptResult::none,
                                                 AttemptResult::succeeded,
                                                 AttemptResult::incomplete,
                                                 AttemptResult::failed};

constexpr std::array<Datastore, 5> k_datastores{Datastore::unknown,
                                                Datastore::embedded_etcd,
                                                Datastore::sqlite,
                                                Datastore::external,
                                                Datastore::none};

void put_when(nlohmann::json& json, const char* key, SystemTime time) {
  if (time != SystemTime{}) {
    json[key] = format_rfc3339(time);
  }
}

template <typename Number> void put_number(nlohmann::json& json, const char* key, Number number) {
  if (number != 0) {
    json[key] = number;
  }
}

nlohmann::json artifacts_to_json(const std::map<ArtifactType, ArtifactFacts>& artifacts) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& [type, facts] : artifacts) {
    nlohmann::json item{{"type", to_string(type)}};
    put_when(item, "lastSuccessTime", facts.last_success_time);
    put_number(item, "sizeBytes", facts.size_bytes);
    put_number(item, "referenceSizeBytes", facts.reference_size_bytes);
    list.push_back(std::move(item));
  }
  return list;
}

Result<SystemTime> when(const nlohmann::json& json, const char* key) {
  RB_TRY_ASSIGN(const auto time, time_field(json, key));
  return time.value_or(SystemTime{});
}

Status read_artifacts(const nlohmann::json& list, NodeFacts& facts) {
  for (const auto& item : list) {
    const auto type = parse_artifact_type(item.at("type").get<std::string>());
    if (!type) {
      continue;
    }
    ArtifactFacts& artifact = facts.artifacts[*type];
    RB_TRY_ASSIGN(artifact.last_success_time, when(item, "lastSuccessTime"));
    artifact.size_bytes = json_integer_or(item, "sizeBytes", artifact.size_bytes);
    artifact.reference_size_bytes =
        json_integer_or(item, "referenceSizeBytes", artifact.reference_size_bytes);
  }
  return {};
}

void read_numbers(const nlohmann::json& json, NodeFacts& facts) {
  facts.etcd_revision = json.value("etcdRevision", facts.etcd_revision);
  facts.etcd_keys = json.value("etcdKeys", facts.etcd_keys);
  facts.helm_releases = json.value("helmReleases", facts.helm_releases);
  facts.helm_undecodable = json.value("helmUndecodable", facts.helm_undecodable);
  facts.recipients = json.value("recipients", facts.recipients);
  facts.complete_sets = json_integer_or(json, "completeSets", facts.complete_sets);
  facts.incomplete_sets = json_integer_or(json, "incompleteSets", facts.incomplete_sets);
  facts.damaged_sets = json_integer_or(json, "damagedSets", facts.damaged_sets);
  facts.untrusted_sets = json_integer_or(json, "untrustedSets", facts.untrusted_sets);
  facts.untrusted_files = json_integer_or(json, "untrustedFiles", facts.untrusted_files);
  facts.retained_bytes = json_integer_or(json, "retainedBytes", facts.retained_bytes);
  facts.disk_free_bytes = json_integer_or(json, "diskFreeBytes", facts.disk_free_bytes);
  facts.disk_size_bytes = json_integer_or(json, "diskSizeBytes", facts.disk_size_bytes);
  facts.next_run_bytes = json_integer_or(json, "nextRunBytes", facts.next_run_bytes);
  facts.last_drill_seconds = json_integer_or(json, "lastDrillSeconds", facts.last_drill_seconds);
}

Result<NodeFacts> read(const nlohmann::json& json) {
  NodeFacts facts;
  facts.node_name = json.at("nodeName").get<std::string>();
  facts.agent_id = json.value("agentID", "");
  facts.version = json.value("version", "");
  const std::string datastore = json.value("datastore", "");
  for (const Datastore known : k_datastores) {
    facts.datastore = to_string(known) == datastore ? known : facts.datastore;
  }
  RB_TRY_ASSIGN(facts.report_time, when(json, "reportTime"));
  facts.last_success_run_id = json.value("lastSuccessRunID", "");
  facts.recipient_rule = json.value("recipientRule", "");
  RB_TRY_ASSIGN(facts.last_success_time, when(json, "lastSuccessTime"));
  RB_TRY_ASSIGN(facts.last_attempt_time, when(json, "lastAttemptTime"));
  const std::string result = json.value("lastAttemptResult", "");
  for (const AttemptResult known : k_results) {
    facts.last_attempt_result = to_string(known) == result ? known : facts.last_attempt_result;
  }
  facts.last_attempt_reason = json.value("lastAttemptReason", "");
  RB_TRY(read_artifacts(json.value("artifacts", nlohmann::json::array()), facts));
  read_numbers(json, facts);
  RB_TRY_ASSIGN(facts.last_drill_time, when(json, "lastDrillTime"));
  facts.last_drill_result = json.value("lastDrillResult", "");
  facts.last_drill_run_id = json.value("lastDrillRunID", "");
  facts.last_drill_booted = json.value("lastDrillBooted", false);
  RB_TRY_ASSIGN(facts.last_restore_time, when(json, "lastRestoreTime"));
  facts.clock_anomaly = json.value("clockAnomaly", false);
  return facts;
}

} // namespace

std::string_view to_string(AttemptResult result) {
  switch (result) {
  case AttemptResult::none:
    return "None";
  case AttemptResult::succeeded:
    return "Succeeded";
  case AttemptResult::incomplete:
    return "Incomplete";
  case AttemptResult::failed:
    return "Failed";
  }
  return "";
}

std::string_view to_string(Datastore datastore) {
  switch (datastore) {
  case Datastore::unknown:
    return "";
  case Datastore::embedded_etcd:
    return "EmbeddedEtcd";
  case Datastore::sqlite:
    return "SQLite";
  case Datastore::external:
    return "External";
  case Datastore::none:
    return "None";
  }
  return "";
}

nlohmann::json to_json(const NodeFacts& facts) {
  nlohmann::json json{{"nodeName", facts.node_name},
                      {"artifacts", artifacts_to_json(facts.artifacts)}};
  put_text(json, "agentID", facts.agent_id);
  put_text(json, "version", facts.version);
  put_text(json, "datastore", std::string(to_string(facts.datastore)));
  put_when(json, "reportTime", facts.report_time);
  put_text(json, "lastSuccessRunID", facts.last_success_run_id);
  put_when(json, "lastSuccessTime", facts.last_success_time);
  put_when(json, "lastAttemptTime", facts.last_attempt_time);
  if (facts.last_attempt_result != AttemptResult::none) {
    json["lastAttemptResult"] = to_string(facts.last_attempt_result);
  }
  put_text(json, "lastAttemptReason", facts.last_attempt_reason);
  put_number(json, "etcdRevision", facts.etcd_revision);
  put_number(json, "etcdKeys", facts.etcd_keys);
  put_number(json, "helmReleases", facts.helm_releases);
  put_number(json, "helmUndecodable", facts.helm_undecodable);
  put_number(json, "recipients", facts.recipients);
  put_text(json, "recipientRule", facts.recipient_rule);
  put_number(json, "completeSets", facts.complete_sets);
  put_number(json, "incompleteSets", facts.incomplete_sets);
  put_number(json, "damagedSets", facts.damaged_sets);
  put_number(json, "untrustedSets", facts.untrusted_sets);
  put_number(json, "untrustedFiles", facts.untrusted_files);
  put_number(json, "retainedBytes", facts.retained_bytes);
  put_number(json, "diskFreeBytes", facts.disk_free_bytes);
  put_number(json, "diskSizeBytes", facts.disk_size_bytes);
  put_number(json, "nextRunBytes", facts.next_run_bytes);
  put_when(json, "lastDrillTime", facts.last_drill_time);
  put_text(json, "lastDrillResult", facts.last_drill_result);
  put_text(json, "lastDrillRunID", facts.last_drill_run_id);
  put_number(json, "lastDrillSeconds", facts.last_drill_seconds);
  if (facts.last_drill_booted) {
    json["lastDrillBooted"] = true;
  }
  put_when(json, "lastRestoreTime", facts.last_restore_time);
  if (facts.clock_anomaly) {
    json["clockAnomaly"] = true;
  }
  return json;
}

Result<NodeFacts> node_facts_from_json(const nlohmann::json& json) {
  try {
    return read(json);
  } catch (const nlohmann::json::exception&) {
    return Error{
        ErrorCode::corrupt, "BackupStatus: a node's entry has a field of another type", {}};
  }
}

} // namespace rb::api

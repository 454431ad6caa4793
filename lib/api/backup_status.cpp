#include "api/backup_status.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::api {

namespace {

/// As in crds/ (diskFreeBytes and its like, maximum): what is beyond would keep all that the node
/// says out of the object.
constexpr std::uint64_t k_bytes_limit = 9'007'199'254'740'991;

/// An entry of a node's `artifacts`.
struct ArtifactEntry {
  ArtifactType type = ArtifactType::datastore;
  ArtifactFacts facts;
};

void fields(JsonFields& json, ArtifactEntry& entry) {
  json.required("type", entry.type);
  json.optional("lastSuccessTime", entry.facts.last_success_time);
  json.optional("sizeBytes", entry.facts.size_bytes);
  json.optional("referenceSizeBytes", entry.facts.reference_size_bytes);
}

void artifacts(JsonFields& json, std::map<ArtifactType, ArtifactFacts>& artifacts) {
  std::vector<ArtifactEntry> entries;
  for (const auto& [type, facts] : artifacts) {
    entries.push_back({type, facts});
  }
  json.always("artifacts", entries);
  for (const ArtifactEntry& entry : entries) {
    artifacts[entry.type] = entry.facts;
  }
}

} // namespace

static void fields(JsonFields& json, LastRun& run) {
  json.always("name", run.name);
  json.optional("runID", run.run_id);
  json.required("completionTime", run.completion_time);
  json.always("succeeded", run.succeeded);
  json.always("reason", run.reason);
}

static void fields(JsonFields& json, ToldTopic& told) {
  json.required("topic", told.topic);
  json.required("time", told.time);
  json.optional("problem", told.problem);
}

static void fields(JsonFields& json, ReceiverState& state) {
  json.required("receiver", state.receiver);
  json.required("sinceTime", state.since);
  if (json.reading()) {
    json.readable("topics", state.topics);
  } else {
    json.optional("topics", state.topics);
  }
  json.optional("failingSinceTime", state.failing_since);
  json.optional("lastError", state.last_error);
}

/// `nodes` and `notified` are read only: they are written apart.
static void fields(JsonFields& json, BackupStatusStatus& status) {
  json.always("conditions", status.conditions);
  json.optional("observedTime", status.observed_time);
  json.optional("schedule", status.schedule);
  json.optional("timeZone", status.time_zone);
  json.optional("nextScheduleTime", status.next_schedule_time);
  json.always("expectedIntervalSeconds", status.expected_interval_seconds);
  json.optional("lastSuccessTime", status.last_success_time);
  json.optional("lastSuccessRunID", status.last_success_run_id);
  json.optional("lastSuccessNode", status.last_success_node);
  json.optional("lastRun", status.last_run);
  if (json.reading() || !status.controller_starts.empty()) {
    json.readable("controllerStartTimes", status.controller_starts);
  }
  if (json.reading()) {
    json.readable("nodes", status.nodes);
    json.readable("notified", status.notified);
  }
}

std::span<const Word<AttemptResult>> words_of(AttemptResult /*result*/) {
  static constexpr std::array<Word<AttemptResult>, 4> k_words{
      {{AttemptResult::none, "None"},
       {AttemptResult::succeeded, "Succeeded"},
       {AttemptResult::incomplete, "Incomplete"},
       {AttemptResult::failed, "Failed"}}};
  return k_words;
}

std::span<const Word<Datastore>> words_of(Datastore /*datastore*/) {
  static constexpr std::array<Word<Datastore>, 5> k_words{
      {{Datastore::unknown, ""},
       {Datastore::embedded_etcd, "EmbeddedEtcd"},
       {Datastore::sqlite, "SQLite"},
       {Datastore::external, "External"},
       {Datastore::none, "None"}}};
  return k_words;
}

void fields(JsonFields& json, NodeFacts& facts) {
  if (!json.reading()) {
    for (std::uint64_t* const bytes : {&facts.retained_bytes,
                                       &facts.disk_free_bytes,
                                       &facts.disk_size_bytes,
                                       &facts.next_run_bytes}) {
      *bytes = std::min(*bytes, k_bytes_limit); // of a disk without a size of its own
    }
  }
  json.required("nodeName", facts.node_name);
  json.optional("agentID", facts.agent_id);
  json.optional("version", facts.version);
  json.optional("datastore", facts.datastore);
  json.optional("member", facts.member);
  json.optional("address", facts.address);
  json.optional("publicKey", facts.public_key);
  json.optional("reportTime", facts.report_time);
  json.optional("lastSuccessRunID", facts.last_success_run_id);
  json.optional("lastSuccessTime", facts.last_success_time);
  json.optional("lastSuccessK3sVersion", facts.last_success_k3s_version);
  json.optional("lastSuccessProof", facts.last_success_proof);
  json.optional("lastAttemptTime", facts.last_attempt_time);
  json.optional("lastAttemptResult", facts.last_attempt_result);
  json.optional("lastAttemptReason", facts.last_attempt_reason);
  artifacts(json, facts.artifacts);
  json.optional("etcdRevision", facts.etcd_revision);
  json.optional("etcdKeys", facts.etcd_keys);
  json.optional("helmReleases", facts.helm_releases);
  json.optional("helmUndecodable", facts.helm_undecodable);
  json.optional("recipients", facts.recipients);
  json.optional("recipientRule", facts.recipient_rule);
  json.optional("oldRecipientSets", facts.old_recipient_sets);
  json.optional("completeSets", facts.complete_sets);
  json.optional("incompleteSets", facts.incomplete_sets);
  json.optional("damagedSets", facts.damaged_sets);
  json.optional("untrustedSets", facts.untrusted_sets);
  json.optional("untrustedFiles", facts.untrusted_files);
  json.optional("retainedBytes", facts.retained_bytes);
  json.optional("diskFreeBytes", facts.disk_free_bytes);
  json.optional("diskSizeBytes", facts.disk_size_bytes);
  json.optional("nextRunBytes", facts.next_run_bytes);
  json.optional("lastDrillTime", facts.last_drill_time);
  json.optional("lastDrillResult", facts.last_drill_result);
  json.optional("lastDrillRunID", facts.last_drill_run_id);
  json.optional("lastDrillSeconds", facts.last_drill_seconds);
  json.optional("lastDrillBooted", facts.last_drill_booted);
  json.optional("lastVerifyTime", facts.last_verify_time);
  json.optional("lastVerifyResult", facts.last_verify_result);
  json.optional("lastVerifySets", facts.last_verify_sets);
  json.optional("lastVerifyBadSets", facts.last_verify_bad_sets);
  json.optional("lastRestoreTime", facts.last_restore_time);
  json.optional("controllerMissedSince", facts.controller_missed_since);
  json.optional("clockAnomaly", facts.clock_anomaly);
}

nlohmann::json to_json(const NodeFacts& facts) {
  return to_json_fields(facts);
}

Result<BackupStatus> backup_status_from_json(const nlohmann::json& object) {
  BackupStatus read;
  JsonFields reader(object);
  reader.required("metadata", read.meta);
  reader.always("status", read.status);
  RB_TRY(reader.result());
  return read;
}

nlohmann::json new_backup_status() {
  return {{"apiVersion", k_api_version},
          {"kind", k_backup_status_kind},
          {"metadata", {{"name", k_backup_status_name}}}};
}

nlohmann::json controller_apply(const BackupStatusStatus& status) {
  nlohmann::json object = new_backup_status();
  object["status"] = to_json_fields(status);
  return object;
}

nlohmann::json to_json(const std::vector<ReceiverState>& notified) {
  nlohmann::json list = nlohmann::json::array();
  for (const ReceiverState& state : notified) {
    list.push_back(nlohmann::json(to_json_fields(state)));
  }
  return list;
}

nlohmann::json notified_apply(const std::vector<ReceiverState>& notified) {
  nlohmann::json object = new_backup_status();
  object["status"] = {{"notified", to_json(notified)}};
  return object;
}

nlohmann::json missed_apply(const std::string& node_name, SystemTime missed_since) {
  nlohmann::json entry{{"nodeName", node_name}};
  if (missed_since != SystemTime{}) {
    entry["controllerMissedSince"] = format_rfc3339(missed_since);
  }
  nlohmann::json object = new_backup_status();
  object["status"] = {{"nodes", nlohmann::json::array({std::move(entry)})}};
  return object;
}

nlohmann::json agent_apply(const NodeFacts& facts) {
  nlohmann::json object = new_backup_status();
  object["status"] = {{"nodes", nlohmann::json::array({to_json(facts)})}};
  return object;
}

} // namespace rb::api

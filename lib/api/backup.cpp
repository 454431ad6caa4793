#include "api/backup.hpp"

#include <algorithm>

namespace rb::api {

namespace {

/// Who asked for the run: `flag` says whether the trigger is `word`. Else the default is meant,
/// which older CRDs do not know.
void trigger(JsonFields& json, bool& flag, std::string_view word) {
  std::string text(flag ? word : "");
  json.optional("trigger", text);
  flag = text == word;
}

/// A word whose first value is the default. That is not written: older CRDs do not know the field.
template <Worded Enum>
void word_field(JsonFields& json,
                std::string_view key,
                Enum& value,
                std::vector<std::string>& unknown) {
  std::string text(value == Enum{} ? "" : word_of(value));
  json.optional(key, text);
  if (const auto known = from_word<Enum>(text)) {
    value = *known;
  } else if (!text.empty()) {
    unknown.push_back(std::move(text));
  }
}

template <typename Object>
nlohmann::json object_to_json(std::string_view kind, const Object& object) {
  return {{"apiVersion", k_api_version},
          {"kind", kind},
          {"metadata", to_json(object.meta)},
          {"spec", to_json_fields(object.spec)}};
}

} // namespace

/// Two words mean the datastore: it counts once.
static void artifact_words(JsonFields& json,
                           std::vector<ArtifactType>& types,
                           std::vector<std::string>& unknown) {
  json.words("artifacts", types, unknown);
  std::vector<ArtifactType> once;
  for (const ArtifactType type : types) {
    if (std::find(once.begin(), once.end(), type) == once.end()) {
      once.push_back(type);
    }
  }
  types = std::move(once);
}

static void fields(JsonFields& json, ClusterBackupSpec& spec) {
  artifact_words(json, spec.artifacts, spec.unknown);
  json.object("retention",
              [&](JsonFields& retention) { retention.optional("keepLast", spec.keep_last); });
  trigger(json, spec.scheduled, "Schedule");
  json.always("deadlineSeconds", spec.deadline_seconds);
  json.optional("nodeName", spec.node_name);
  word_field(json, "servers", spec.servers, spec.unknown);
  json.optional("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished);
  word_field(json, "verification", spec.verification, spec.unknown);
}

static void fields(JsonFields& json, ClusterBackupStatus& status) {
  json.always("observedGeneration", status.observed_generation);
  json.always("conditions", status.conditions);
  json.optional("runID", status.run_id);
  json.optional("startTime", status.start_time);
  json.optional("completionTime", status.completion_time);
  json.optional("nodeName", status.node_name);
  json.optional("servers", status.servers);
  std::string copies = copies_text(status.servers); // for the column; nobody reads it back
  json.optional("copies", copies);
  fields(json, static_cast<RunResults&>(status));
  json.always("totalSizeBytes", status.total_size_bytes);
  json.optional("helm", status.helm);
}

static void fields(JsonFields& json, HelmPayload& payload) {
  json.required("configMaps", payload.config_maps);
  json.required("sizeBytes", payload.size_bytes);
  json.required("sha256", payload.sha256);
  json.optional("recipientsSHA256", payload.recipients_sha256);
}

static void fields(JsonFields& json, NodeBackupSpec& spec) {
  json.required("clusterBackupName", spec.cluster_backup_name);
  json.required("runID", spec.run_id);
  if (const auto time = parse_run_id(spec.run_id); json.reading() && !time) {
    json.fail(time.error());
  }
  json.required("nodeName", spec.node_name);
  if (json.reading()) {
    std::vector<std::string> words;
    json.required("artifacts", words);
  }
  artifact_words(json, spec.artifacts, spec.unknown);
  json.required("keepLast", spec.keep_last);
  trigger(json, spec.manual, "Manual");
  json.required("deadline", spec.deadline);
  json.optional("helmPayload", spec.helm_payload);
  json.optional("helm", spec.helm);
  json.always("missing", spec.missing);
  word_field(json, "verification", spec.verification, spec.unknown);
  std::size_t odd = 0; // what the controller would not write
  servers_field(json, spec.servers, odd);
}

static void fields(JsonFields& json, Progress& progress) {
  json.always("step", progress.step);
  json.always("bytesDone", progress.bytes_done);
  json.always("bytesTotal", progress.bytes_total);
}

static void fields(JsonFields& json, NodeBackupStatus& status) {
  json.always("observedGeneration", status.observed_generation);
  json.always("conditions", status.conditions);
  json.optional("agentID", status.agent_id);
  json.optional("instanceID", status.instance_id);
  json.optional("startTime", status.start_time);
  json.optional("heartbeatTime", status.heartbeat_time);
  json.optional("completionTime", status.completion_time);
  json.optional("progress", status.progress);
  fields(json, static_cast<RunResults&>(status));
  json.always("pruned", status.pruned);
}

std::span<const Word<Verification>> words_of(Verification /*verification*/) {
  static constexpr std::array<Word<Verification>, 2> k_words{
      {{Verification::snapshot, "Snapshot"}, {Verification::boot, "Boot"}}};
  return k_words;
}

Result<ClusterBackup> cluster_backup_from_json(const nlohmann::json& object) {
  ClusterBackup backup;
  JsonFields reader(object);
  reader.required("metadata", backup.meta);
  reader.always("spec", backup.spec);
  reader.always("status", backup.status);
  RB_TRY(reader.result());
  return backup;
}

nlohmann::json to_json(const ClusterBackup& backup) {
  return object_to_json(k_cluster_backup_kind, backup);
}

nlohmann::json to_json(const ClusterBackupStatus& status) {
  return to_json_fields(status);
}

Result<NodeBackup> node_backup_from_json(const nlohmann::json& object) {
  NodeBackup order;
  JsonFields reader(object);
  reader.required("metadata", order.meta);
  reader.required("spec", order.spec);
  reader.always("status", order.status);
  RB_TRY(reader.result());
  return order;
}

nlohmann::json to_json(const NodeBackup& order) {
  return object_to_json(k_node_backup_kind, order);
}

nlohmann::json to_json(const NodeBackupStatus& status) {
  return to_json_fields(status);
}

std::optional<std::string> marked_run(const ObjectMeta& meta) {
  const auto mark = meta.annotations.find(std::string(k_run_annotation));
  const std::string prefix = meta.name + "/";
  if (mark == meta.annotations.end() || !mark->second.starts_with(prefix)) {
    return std::nullopt;
  }
  std::string run_id = mark->second.substr(prefix.size());
  return parse_run_id(run_id) ? std::optional(std::move(run_id)) : std::nullopt;
}

bool came_back(const ClusterBackup& backup) {
  return backup.status.run_id.empty() && !backup.finished() && marked_run(backup.meta).has_value();
}

namespace {

bool ended_with(const ClusterBackup& backup, std::string_view reason) {
  const Condition* result = find_condition(backup.status.conditions, condition_type::k_succeeded);
  return result != nullptr && result->reason == reason;
}

} // namespace

bool is_not_repeated(const ClusterBackup& backup) {
  return ended_with(backup, k_not_repeated);
}

bool is_superseded(const ClusterBackup& backup) {
  return ended_with(backup, k_superseded);
}

nlohmann::json
run_mark(const std::string& name, const std::string& uid, const std::string& run_id) {
  const nlohmann::json annotations{{std::string(k_run_annotation), name + "/" + run_id}};
  return {{"metadata", {{"uid", uid}, {"annotations", annotations}}}};
}

} // namespace rb::api

#include "api/node_backup.hpp"

#include "api/json_fields.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

namespace {

HelmPayload payload_from_json(const nlohmann::json& json) {
  return {json.at("configMaps").get<std::vector<std::string>>(),
          json_integer<std::uint64_t>(json.at("sizeBytes")),
          json.at("sha256").get<std::string>()};
}

Result<NodeBackupSpec> spec_from_json(const nlohmann::json& json) {
  NodeBackupSpec spec;
  spec.cluster_backup_name = json.at("clusterBackupName").get<std::string>();
  spec.run_id = json.at("runID").get<std::string>();
  RB_TRY(parse_run_id(spec.run_id));
  spec.node_name = json.at("nodeName").get<std::string>();
  spec.artifacts = artifact_types_from_json(json.at("artifacts"), spec.unknown);
  spec.keep_last = json_integer<std::int32_t>(json.at("keepLast"));
  spec.manual = json.value("trigger", "") == k_trigger_manual;
  RB_TRY_ASSIGN(spec.deadline, parse_rfc3339(json.at("deadline").get<std::string>()));
  if (json.contains("helmPayload")) {
    spec.helm_payload = payload_from_json(json["helmPayload"]);
  }
  if (json.contains("helm")) {
    RB_TRY_ASSIGN(spec.helm, helm_from_json(json["helm"]));
  }
  RB_TRY_ASSIGN(spec.missing, missing_from_json(json.value("missing", nlohmann::json::array())));
  if (json.contains("verification")) {
    spec.verification = verification_from_json(json["verification"], spec.unknown);
  }
  return spec;
}

Result<NodeBackupStatus> status_from_json(const nlohmann::json& json) {
  NodeBackupStatus status;
  status.observed_generation = json_integer_or(json, "observedGeneration", std::int64_t{0});
  RB_TRY_ASSIGN(status.conditions,
                conditions_from_json(json.value("conditions", nlohmann::json::array())));
  status.agent_id = json.value("agentID", "");
  status.instance_id = json.value("instanceID", "");
  RB_TRY_ASSIGN(status.start_time, time_field(json, "startTime"));
  RB_TRY_ASSIGN(status.heartbeat_time, time_field(json, "heartbeatTime"));
  RB_TRY_ASSIGN(status.completion_time, time_field(json, "completionTime"));
  if (json.contains("progress")) {
    const auto& progress = json["progress"];
    status.progress = Progress{progress.value("step", ""),
                               json_integer_or(progress, "bytesDone", std::uint64_t{0}),
                               json_integer_or(progress, "bytesTotal", std::uint64_t{0})};
  }
  RB_TRY_ASSIGN(status.artifacts,
                artifacts_from_json(json.value("artifacts", nlohmann::json::array())));
  RB_TRY_ASSIGN(status.missing, missing_from_json(json.value("missing", nlohmann::json::array())));
  status.signing_key = json.value("signingKey", "");
  if (json.contains("etcd")) {
    RB_TRY_ASSIGN(status.etcd, etcd_from_json(json["etcd"]));
  }
  status.pruned = json.value("pruned", status.pruned);
  return status;
}

} // namespace

bool NodeBackup::finished() const {
  return has_ended(status.conditions);
}

Result<NodeBackup> node_backup_from_json(const nlohmann::json& object) {
  NodeBackup order;
  try {
    RB_TRY_ASSIGN(order.meta, meta_from_json(object));
    RB_TRY_ASSIGN(order.spec, spec_from_json(object.at("spec")));
    RB_TRY_ASSIGN(order.status, status_from_json(object.value("status", nlohmann::json::object())));
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "NodeBackup: a field is missing or has the wrong type", {}};
  }
  return order;
}

nlohmann::json to_json(const NodeBackup& order) {
  const NodeBackupSpec& spec = order.spec;
  nlohmann::json json{{"clusterBackupName", spec.cluster_backup_name},
                      {"runID", spec.run_id},
                      {"nodeName", spec.node_name},
                      {"artifacts", to_json(spec.artifacts)},
                      {"keepLast", spec.keep_last},
                      {"deadline", format_rfc3339(spec.deadline)},
                      {"missing", to_json(spec.missing)}};
  if (spec.manual) { // else the default, which older CRDs do not know
    json["trigger"] = k_trigger_manual;
  }
  if (spec.helm_payload) {
    json["helmPayload"] = {{"configMaps", spec.helm_payload->config_maps},
                           {"sizeBytes", spec.helm_payload->size_bytes},
                           {"sha256", spec.helm_payload->sha256}};
  }
  if (spec.helm) {
    json["helm"] = to_json(*spec.helm);
  }
  if (spec.verification != Verification::snapshot) { // the default, which older CRDs do not know
    json["verification"] = to_string(spec.verification);
  }
  return {{"apiVersion", k_api_version},
          {"kind", k_node_backup_kind},
          {"metadata", to_json(order.meta)},
          {"spec", std::move(json)}};
}

nlohmann::json to_json(const NodeBackupStatus& status) {
  nlohmann::json json{{"observedGeneration", status.observed_generation},
                      {"conditions", to_json(status.conditions)},
                      {"artifacts", to_json(status.artifacts)},
                      {"missing", to_json(status.missing)},
                      {"pruned", status.pruned}};
  put_text(json, "agentID", status.agent_id);
  put_text(json, "instanceID", status.instance_id);
  put_time(json, "startTime", status.start_time);
  put_time(json, "heartbeatTime", status.heartbeat_time);
  put_time(json, "completionTime", status.completion_time);
  if (status.progress) {
    json["progress"] = {{"step", status.progress->step},
                        {"bytesDone", status.progress->bytes_done},
                        {"bytesTotal", status.progress->bytes_total}};
  }
  put_text(json, "signingKey", status.signing_key);
  if (status.etcd) {
    json["etcd"] = to_json(*status.etcd);
  }
  return json;
}

} // namespace rb::api

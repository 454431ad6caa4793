#include "api/cluster_backup.hpp"

#include "api/json_fields.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

namespace {

Result<ClusterBackupSpec> spec_from_json(const nlohmann::json& json) {
  ClusterBackupSpec spec;
  if (json.contains("artifacts")) {
    spec.artifacts = artifact_types_from_json(json["artifacts"], spec.unknown);
  }
  const nlohmann::json retention = json.value("retention", nlohmann::json::object());
  if (retention.contains("keepLast")) {
    spec.keep_last = json_integer<std::int32_t>(retention["keepLast"]);
  }
  spec.scheduled = json.value("trigger", "") == k_trigger_schedule;
  spec.deadline_seconds = json_integer_or(json, "deadlineSeconds", spec.deadline_seconds);
  spec.node_name = json.value("nodeName", "");
  if (json.contains("ttlSecondsAfterFinished")) {
    spec.ttl_seconds_after_finished = json_integer<std::int32_t>(json["ttlSecondsAfterFinished"]);
  }
  if (json.contains("verification")) {
    spec.verification = verification_from_json(json["verification"], spec.unknown);
  }
  return spec;
}

Result<ClusterBackupStatus> status_from_json(const nlohmann::json& json) {
  ClusterBackupStatus status;
  status.observed_generation = json_integer_or(json, "observedGeneration", std::int64_t{0});
  RB_TRY_ASSIGN(status.conditions,
                conditions_from_json(json.value("conditions", nlohmann::json::array())));
  status.run_id = json.value("runID", "");
  RB_TRY_ASSIGN(status.start_time, time_field(json, "startTime"));
  RB_TRY_ASSIGN(status.completion_time, time_field(json, "completionTime"));
  status.node_name = json.value("nodeName", "");
  RB_TRY_ASSIGN(status.artifacts,
                artifacts_from_json(json.value("artifacts", nlohmann::json::array())));
  RB_TRY_ASSIGN(status.missing, missing_from_json(json.value("missing", nlohmann::json::array())));
  status.total_size_bytes = json_integer_or(json, "totalSizeBytes", std::uint64_t{0});
  status.signing_key = json.value("signingKey", "");
  if (json.contains("etcd")) {
    RB_TRY_ASSIGN(status.etcd, etcd_from_json(json["etcd"]));
  }
  if (json.contains("helm")) {
    RB_TRY_ASSIGN(status.helm, helm_from_json(json["helm"]));
  }
  return status;
}

} // namespace

bool ClusterBackup::finished() const {
  return has_ended(status.conditions);
}

Result<ClusterBackup> cluster_backup_from_json(const nlohmann::json& object) {
  ClusterBackup backup;
  try {
    RB_TRY_ASSIGN(backup.meta, meta_from_json(object));
    RB_TRY_ASSIGN(backup.spec, spec_from_json(object.value("spec", nlohmann::json::object())));
    RB_TRY_ASSIGN(backup.status,
                  status_from_json(object.value("status", nlohmann::json::object())));
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "ClusterBackup: a field has the wrong type", {}};
  }
  return backup;
}

nlohmann::json to_json(const ClusterBackup& backup) {
  const ClusterBackupSpec& spec = backup.spec;
  nlohmann::json json{{"artifacts", to_json(spec.artifacts)},
                      {"deadlineSeconds", spec.deadline_seconds}};
  if (spec.keep_last) {
    json["retention"] = {{"keepLast", *spec.keep_last}};
  }
  if (spec.scheduled) {
    json["trigger"] = k_trigger_schedule;
  }
  if (!spec.node_name.empty()) {
    json["nodeName"] = spec.node_name;
  }
  if (spec.ttl_seconds_after_finished) {
    json["ttlSecondsAfterFinished"] = *spec.ttl_seconds_after_finished;
  }
  if (spec.verification != Verification::snapshot) { // the default, which older CRDs do not know
    json["verification"] = to_string(spec.verification);
  }
  return {{"apiVersion", k_api_version},
          {"kind", k_cluster_backup_kind},
          {"metadata", to_json(backup.meta)},
          {"spec", std::move(json)}};
}

nlohmann::json to_json(const ClusterBackupStatus& status) {
  nlohmann::json json{{"observedGeneration", status.observed_generation},
                      {"conditions", to_json(status.conditions)},
                      {"artifacts", to_json(status.artifacts)},
                      {"missing", to_json(status.missing)},
                      {"totalSizeBytes", status.total_size_bytes}};
  put_text(json, "runID", status.run_id);
  put_text(json, "nodeName", status.node_name);
  put_time(json, "startTime", status.start_time);
  put_time(json, "completionTime", status.completion_time);
  put_text(json, "signingKey", status.signing_key);
  if (status.etcd) {
    json["etcd"] = to_json(*status.etcd);
  }
  if (status.helm) {
    json["helm"] = to_json(*status.helm);
  }
  return json;
}

} // namespace rb::api

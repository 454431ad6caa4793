#include "api/standing.hpp"

#include "api/json_fields.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

namespace {

nlohmann::json envelope() {
  return {{"apiVersion", k_api_version},
          {"kind", k_backup_status_kind},
          {"metadata", {{"name", k_backup_status_name}}}};
}

nlohmann::json to_json(const LastRun& run) {
  nlohmann::json json{{"name", run.name},
                      {"completionTime", format_rfc3339(run.completion_time)},
                      {"succeeded", run.succeeded},
                      {"reason", run.reason}};
  put_text(json, "runID", run.run_id);
  return json;
}

Result<LastRun> last_run_from_json(const nlohmann::json& json) {
  LastRun run;
  run.name = json.value("name", "");
  run.run_id = json.value("runID", "");
  run.succeeded = json.value("succeeded", false);
  run.reason = json.value("reason", "");
  RB_TRY_ASSIGN(run.completion_time, parse_rfc3339(json.value("completionTime", "")));
  return run;
}

Result<BackupStatusStatus> status_from_json(const nlohmann::json& json) {
  BackupStatusStatus status;
  RB_TRY_ASSIGN(status.conditions,
                conditions_from_json(json.value("conditions", nlohmann::json::array())));
  RB_TRY_ASSIGN(status.observed_time, time_field(json, "observedTime"));
  status.schedule = json.value("schedule", "");
  status.time_zone = json.value("timeZone", "");
  RB_TRY_ASSIGN(status.next_schedule_time, time_field(json, "nextScheduleTime"));
  status.expected_interval_seconds =
      json_integer_or(json, "expectedIntervalSeconds", std::int64_t{0});
  RB_TRY_ASSIGN(status.last_success_time, time_field(json, "lastSuccessTime"));
  status.last_success_run_id = json.value("lastSuccessRunID", "");
  status.last_success_node = json.value("lastSuccessNode", "");
  if (json.contains("lastRun")) {
    RB_TRY_ASSIGN(status.last_run, last_run_from_json(json["lastRun"]));
  }
  for (const auto& item : json.value("controllerStartTimes", nlohmann::json::array())) {
    if (const auto start = parse_rfc3339(item.get<std::string>())) {
      status.controller_starts.push_back(*start);
    }
  }
  for (const auto& item : json.value("nodes", nlohmann::json::array())) {
    if (auto facts = node_facts_from_json(item)) {
      status.nodes.push_back(*std::move(facts));
    }
  }
  return status;
}

} // namespace

Result<BackupStatus> backup_status_from_json(const nlohmann::json& object) {
  BackupStatus standing;
  try {
    RB_TRY_ASSIGN(standing.meta, meta_from_json(object));
    RB_TRY_ASSIGN(standing.status,
                  status_from_json(object.value("status", nlohmann::json::object())));
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "BackupStatus: a field has the wrong type", {}};
  }
  return standing;
}

nlohmann::json new_backup_status() {
  return envelope();
}

nlohmann::json controller_apply(const BackupStatusStatus& status) {
  nlohmann::json json{{"conditions", to_json(status.conditions)},
                      {"expectedIntervalSeconds", status.expected_interval_seconds}};
  put_time(json, "observedTime", status.observed_time);
  put_text(json, "schedule", status.schedule);
  put_text(json, "timeZone", status.time_zone);
  put_time(json, "nextScheduleTime", status.next_schedule_time);
  put_time(json, "lastSuccessTime", status.last_success_time);
  put_text(json, "lastSuccessRunID", status.last_success_run_id);
  put_text(json, "lastSuccessNode", status.last_success_node);
  if (status.last_run) {
    json["lastRun"] = to_json(*status.last_run);
  }
  for (const SystemTime start : status.controller_starts) {
    json["controllerStartTimes"].push_back(format_rfc3339(start));
  }
  nlohmann::json object = envelope();
  object["status"] = std::move(json);
  return object;
}

nlohmann::json agent_apply(const NodeFacts& facts) {
  nlohmann::json object = envelope();
  object["status"] = {{"nodes", nlohmann::json::array({to_json(facts)})}};
  return object;
}

} // namespace rb::api

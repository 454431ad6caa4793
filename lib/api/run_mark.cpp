#include "api/run_mark.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

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

bool is_not_repeated(const ClusterBackup& backup) {
  const Condition* result = find_condition(backup.status.conditions, condition_type::k_succeeded);
  return result != nullptr && result->reason == k_not_repeated;
}

nlohmann::json
run_mark(const std::string& name, const std::string& uid, const std::string& run_id) {
  const nlohmann::json annotations{{std::string(k_run_annotation), name + "/" + run_id}};
  return {{"metadata", {{"uid", uid}, {"annotations", annotations}}}};
}

} // namespace rb::api

#include "controller/agents.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

bool is_ready(const nlohmann::json& pod) {
  if (pod.at("metadata").contains("deletionTimestamp")) {
    return false;
  }
  const auto status = pod.value("status", nlohmann::json::object());
  const auto conditions = status.value("conditions", nlohmann::json::array());
  return std::ranges::any_of(conditions, [](const nlohmann::json& condition) {
    return condition.value("type", "") == "Ready" && condition.value("status", "") == "True";
  });
}

bool has_ready_agent(const Observed& observed, const std::string& node) {
  if (node.empty()) {
    return false;
  }
  return std::ranges::any_of(observed.agents, [&](const auto& entry) {
    return entry.second.ready && entry.second.node == node;
  });
}

/// Of the latest run that stored something.
std::string last_node(const Observed& observed) {
  const api::ClusterBackup* last = nullptr;
  for (const auto& [uid, backup] : observed.backups) {
    if (backup.finished() && !backup.status.node_name.empty() &&
        backup.status.total_size_bytes > 0 &&
        (last == nullptr || last->status.run_id < backup.status.run_id)) {
      last = &backup;
    }
  }
  return last == nullptr ? std::string{} : last->status.node_name;
}

} // namespace

Result<Agent> agent_from_pod(const nlohmann::json& pod) {
  try {
    return Agent{pod.at("metadata").at("name").get<std::string>(),
                 pod.at("spec").value("nodeName", ""),
                 is_ready(pod)};
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "pod: not of the form of v1 Pod", {}};
  }
}

std::optional<std::string> choose_node(const Observed& observed, const api::ClusterBackup& backup) {
  if (!backup.spec.node_name.empty()) {
    return has_ready_agent(observed, backup.spec.node_name)
               ? std::optional<std::string>{backup.spec.node_name}
               : std::nullopt;
  }
  if (std::string last = last_node(observed); has_ready_agent(observed, last)) {
    return last;
  }
  std::optional<std::string> first;
  for (const auto& [pod, agent] : observed.agents) {
    if (agent.ready && !agent.node.empty() && (!first || agent.node < *first)) {
      first = agent.node;
    }
  }
  return first;
}

} // namespace rb::controller

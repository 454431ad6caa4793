// Entries of BackupStatus whose nodes are gone. Each node that was ever a server has left one, and
// the list is bounded (crds/): without this a cluster whose servers are replaced would one day have
// no room for those that it has.
#include "controller/backup_status.hpp"

#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

/// A JSON patch; empty where there is nothing to remove. From the end, so that the places before
/// stay; each entry is tested for, so that no other one goes in its place.
nlohmann::json removal_of(const nlohmann::json& object, const std::vector<std::string>& names) {
  nlohmann::json steps = nlohmann::json::array();
  const nlohmann::json& nodes = json_list(json_member(object, "status"), "nodes");
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const std::string name = json_text(nodes[i], "nodeName");
    if (std::ranges::find(names, name) == names.end()) {
      continue;
    }
    const std::string path = "/status/nodes/" + std::to_string(i);
    steps.push_back(nlohmann::json{{"op", "test"}, {"path", path + "/nodeName"}, {"value", name}});
    steps.push_back(nlohmann::json{{"op", "remove"}, {"path", path}});
  }
  return steps;
}

} // namespace

std::vector<std::string> forgotten_nodes(const BackupStatusView& view) {
  std::vector<std::string> names;
  for (const status::NodeSeen& node : view.nodes) {
    const std::string& name = node.facts.node_name;
    if (node.silence > k_forgotten_after &&
        std::ranges::find(view.agent_nodes, name) == view.agent_nodes.end()) {
      names.push_back(name);
    }
  }
  return names;
}

Status remove_nodes(kube::Client& client,
                    const std::vector<std::string>& names,
                    const std::stop_token& stop) {
  if (names.empty()) {
    return {};
  }
  // Not a get, to which we have no right.
  RB_TRY_ASSIGN(const nlohmann::json items, client.list_all(kube::k_backup_statuses, "", {}, stop));
  for (const nlohmann::json& item : items) {
    const nlohmann::json steps = removal_of(item, names);
    if (json_text(kube::metadata_of(item), "name") == api::k_backup_status_name && !steps.empty()) {
      RB_TRY(client.patch(
          {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
          kube::PatchType::json,
          steps,
          stop));
    }
  }
  return {};
}

} // namespace rb::controller

#include "agent/status_writer.hpp"

namespace rb::agent {

Status ApiStatusSink::write(const std::string& order_name,
                            const api::NodeBackupStatus& status,
                            const std::string& resource_version,
                            std::stop_token stop) {
  nlohmann::json patch{{"status", api::to_json(status)}};
  for (const char* const key : {"progress", "etcd", "completionTime"}) {
    if (!patch["status"].contains(key)) {
      patch["status"][key] = nullptr;
    }
  }
  if (!resource_version.empty()) {
    patch["metadata"]["resourceVersion"] = resource_version;
  }
  const auto written = m_client.patch(
      {kube::k_node_backups, {}, order_name, "status"}, kube::PatchType::merge, patch, stop);
  return written ? Status() : Status(written.error());
}

} // namespace rb::agent

#include "agent/orders/api_ports.hpp"

namespace rb::agent {

namespace {

constexpr std::string_view k_container = "agent";

/// The element of our container. Throws where there is none.
const nlohmann::json& of_our_container(const nlohmann::json& list) {
  for (const nlohmann::json& each : list) {
    if (each.at("name") == k_container) {
      return each;
    }
  }
  return list.at(list.size());
}

} // namespace

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
  RB_TRY(m_client.patch(
      {kube::k_node_backups, {}, order_name, "status"}, kube::PatchType::merge, patch, stop));
  return {};
}

FetchPiece pieces_in_config_maps(kube::Client& client, std::string name_space) {
  return [&client, name_space = std::move(name_space)](const std::string& config_map,
                                                       std::stop_token stop) -> Result<Bytes> {
    const std::string subject = "configmap " + config_map;
    RB_TRY_ASSIGN(const auto object,
                  client.get({kube::k_config_maps, name_space, config_map, {}}, stop));
    try {
      const auto& text = object.at("binaryData").at("payload").get_ref<const std::string&>();
      auto bytes = from_base64(text);
      return bytes ? std::move(bytes) : Result<Bytes>(std::move(bytes).error().within(subject));
    } catch (const nlohmann::json::exception&) {
      return Error{ErrorCode::corrupt, subject + ": it has no binaryData.payload", {}};
    }
  };
}

AskImage image_of_pod(kube::Client& client, std::string name_space, std::string pod) {
  if (pod.empty()) {
    return {};
  }
  return [&client, name_space = std::move(name_space), pod = std::move(pod)](
             std::stop_token stop) -> Result<ImageName> {
    RB_TRY_ASSIGN(const auto object, client.get({kube::k_pods, name_space, pod, {}}, stop));
    try {
      return ImageName{
          of_our_container(object.at("spec").at("containers")).at("image").get<std::string>(),
          of_our_container(object.at("status").at("containerStatuses"))
              .at("imageID")
              .get<std::string>()};
    } catch (const nlohmann::json::exception&) {
      return Error{ErrorCode::not_found, "pod " + pod + ": it names no image of the agent", {}};
    }
  };
}

} // namespace rb::agent

#include "agent/pod_image.hpp"

#include "kube/client.hpp"

namespace rb::agent {

namespace {

constexpr std::string_view k_container = "agent";

const nlohmann::json& named(const nlohmann::json& list) {
  for (const nlohmann::json& each : list) {
    if (each.at("name") == k_container) {
      return each;
    }
  }
  return list.at(list.size()); // throws
}

} // namespace

Result<ImageName> PodImage::ask(std::stop_token stop) {
  RB_TRY_ASSIGN(const auto pod, m_client.get({kube::k_pods, m_name_space, m_pod, {}}, stop));
  try {
    return ImageName{
        named(pod.at("spec").at("containers")).at("image").get<std::string>(),
        named(pod.at("status").at("containerStatuses")).at("imageID").get<std::string>()};
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::not_found, "pod " + m_pod + ": it names no image of the agent", {}};
  }
}

} // namespace rb::agent

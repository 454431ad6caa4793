// The image of this pod, as the API server knows it.
#pragma once

#include "agent/kit_image.hpp"

namespace rb::kube {
class Client;
}

namespace rb::agent {

class PodImage final : public OwnImage {
public:
  /// `client` outlives it.
  PodImage(kube::Client& client, std::string name_space, std::string pod)
      : m_client(client), m_name_space(std::move(name_space)), m_pod(std::move(pod)) {}
  [[nodiscard]] Result<ImageName> ask(std::stop_token stop) override;

private:
  kube::Client& m_client;
  std::string m_name_space;
  std::string m_pod;
};

} // namespace rb::agent

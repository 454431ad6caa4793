#include "recover/cluster_api.hpp"

#include "objects/kubectl_proxy.hpp"
#include "recover/k3s_reset.hpp"

namespace rb::recover {

Result<objects::Contents> ProxiedClusterApi::contents(const std::string& snapshot_path) {
  return objects::read_contents_of(snapshot_path, {});
}

Result<std::unique_ptr<objects::ApiPort>> ProxiedClusterApi::connect(const Kubectl& kubectl,
                                                                     const std::string& directory) {
  return objects::start_proxy(
      {kubectl.program, kubectl.kubeconfig, directory + "/api.sock", clean_environment()},
      m_sleeper);
}

} // namespace rb::recover

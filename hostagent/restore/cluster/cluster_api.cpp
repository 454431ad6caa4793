#include "restore/cluster/cluster_api.hpp"

#include "objects/kubectl_proxy.hpp"
#include "restore/cluster/k3s_reset.hpp"

namespace rb::cluster {

Result<objects::Contents> ProxiedClusterApi::contents(const std::string& snapshot_path) {
  return objects::read_contents_of(snapshot_path, {});
}

Result<std::unique_ptr<objects::ApiPort>> ProxiedClusterApi::connect(const Kubectl& kubectl,
                                                                     const std::string& directory) {
  return objects::start_proxy(
      {kubectl.program, kubectl.kubeconfig, directory + "/api.sock", clean_environment()},
      m_sleeper);
}

} // namespace rb::cluster

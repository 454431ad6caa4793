#include "restore/cluster/cluster_api.hpp"

#include "objects/local_api.hpp"

namespace rb::cluster {

Result<objects::Contents> ProxiedClusterApi::contents(const std::string& snapshot_path) {
  return objects::read_contents_of(snapshot_path, {});
}

Result<std::unique_ptr<objects::ApiPort>> ProxiedClusterApi::connect(const k3s::Kubectl& kubectl,
                                                                     const std::string& directory) {
  return objects::start_proxy(
      {kubectl.program, kubectl.kubeconfig, directory + "/api.sock", k3s::clean_environment()},
      m_waiter);
}

} // namespace rb::cluster

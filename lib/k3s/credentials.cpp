#include "k3s/credentials.hpp"

#include "k3s/lines.hpp"

#include <array>

namespace rb::k3s {

namespace {

/// Certificates and keys of k3s (pkg/daemons/control/deps of k3s), without ".crt" and ".key".
constexpr std::array<std::string_view, 29> k_pairs{
    "tls/client-ca",
    "tls/client-ca.nochain",
    "tls/server-ca",
    "tls/server-ca.nochain",
    "tls/request-header-ca",
    "tls/service",
    "tls/service.current",
    "tls/client-admin",
    "tls/client-supervisor",
    "tls/client-controller",
    "tls/client-scheduler",
    "tls/client-kube-apiserver",
    "tls/client-kube-proxy",
    "tls/client-kubelet",
    "tls/client-k3s-controller",
    "tls/client-k3s-cloud-controller",
    "tls/client-cloud-controller",
    "tls/client-auth-proxy",
    "tls/serving-kube-apiserver",
    "tls/serving-kubelet",
    "tls/etcd/server-ca",
    "tls/etcd/peer-ca",
    "tls/etcd/server-client",
    "tls/etcd/peer-server-client",
    "tls/etcd/client",
    "tls/kube-apiserver/kube-apiserver",
    "tls/kube-scheduler/kube-scheduler",
    "tls/kube-controller-manager/kube-controller-manager",
    "tls/cloud-controller-manager/cloud-controller-manager"};

constexpr std::array<std::string_view, 10> k_files{"tls/dynamic-cert.json",
                                                   "cred/passwd",
                                                   "cred/node-passwd",
                                                   "cred/ipsec.psk",
                                                   "cred/admin.kubeconfig",
                                                   "cred/supervisor.kubeconfig",
                                                   "cred/controller.kubeconfig",
                                                   "cred/scheduler.kubeconfig",
                                                   "cred/api-server.kubeconfig",
                                                   "cred/cloud-controller.kubeconfig"};

/// What k3s calls bootstrap data (ControlRuntimeBootstrap, pkg/daemons/config of k3s).
constexpr std::array<std::string_view, 15> k_shared{"tls/etcd/server-ca.crt",
                                                    "tls/etcd/server-ca.key",
                                                    "tls/etcd/peer-ca.crt",
                                                    "tls/etcd/peer-ca.key",
                                                    "tls/server-ca.crt",
                                                    "tls/server-ca.key",
                                                    "tls/client-ca.crt",
                                                    "tls/client-ca.key",
                                                    "tls/request-header-ca.crt",
                                                    "tls/request-header-ca.key",
                                                    "tls/service.key",
                                                    "cred/passwd",
                                                    "cred/ipsec.psk",
                                                    "cred/encryption-config.json",
                                                    "cred/encryption-state.json"};

constexpr std::string_view k_temporary = "tls/temporary-certs";
constexpr std::string_view k_in_temporary = "tls/temporary-certs/";

/// k3s's own only where it is told to encrypt.
constexpr std::array<std::string_view, 2> k_encryption{"cred/encryption-config.json",
                                                       "cred/encryption-state.json"};

/// Directories that hold k3s's own: as a whole they are nobody's.
constexpr std::array<std::string_view, 6> k_directories{"tls/etcd",
                                                        "tls/kube-apiserver",
                                                        "tls/kube-scheduler",
                                                        "tls/kube-controller-manager",
                                                        "tls/cloud-controller-manager",
                                                        k_temporary};

std::string_view without_ending(std::string_view name) {
  for (const std::string_view ending : {std::string_view(".crt"), std::string_view(".key")}) {
    if (name.ends_with(ending)) {
      return name.substr(0, name.size() - ending.size());
    }
  }
  return {};
}

} // namespace

bool is_operators_credential(std::string_view path,
                             const std::string& data_dir,
                             const ServerSettings& settings) {
  const std::string server = data_dir + "/server/";
  if (!path.starts_with(server)) {
    return false;
  }
  const std::string_view name = path.substr(server.size());
  if (!name.starts_with("tls/") && !name.starts_with("cred/")) {
    return false;
  }
  const bool encrypts = settings.is_on("secrets-encryption");
  return !is_among(k_pairs, without_ending(name)) && !is_among(k_files, name) &&
         !is_among(k_directories, name) && !name.starts_with(k_in_temporary) &&
         !(encrypts && is_among(k_encryption, name));
}

std::vector<std::string> shared_credentials(const std::string& data_dir,
                                            const ServerSettings& settings) {
  std::vector<std::string> names;
  for (const std::string_view name : k_shared) {
    if (!is_operators_credential(data_dir + "/server/" + std::string(name), data_dir, settings)) {
      names.emplace_back(name);
    }
  }
  return names;
}

} // namespace rb::k3s

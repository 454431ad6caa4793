#include "restore/cluster/server_settings.hpp"

#include <array>

namespace rb::cluster {

namespace {

constexpr std::array<const char*, 18> k_carried{"config",
                                                "node-name",
                                                "node-ip",
                                                "node-external-ip",
                                                "bind-address",
                                                "advertise-address",
                                                "https-listen-port",
                                                "supervisor-port",
                                                "cluster-cidr",
                                                "service-cidr",
                                                "cluster-dns",
                                                "cluster-domain",
                                                "service-node-port-range",
                                                "flannel-backend",
                                                "secrets-encryption",
                                                "secrets-encryption-provider",
                                                "etcd-arg",
                                                "disable-agent"};

} // namespace

std::vector<std::string> carried_flags(const ServerSettings& settings) {
  std::vector<std::string> carried;
  for (const char* const flag : k_carried) {
    for (const k3s::Setting& setting : settings.of(flag)) {
      if (setting.origin != k3s::Origin::config) {
        carried.push_back(std::string("--") + flag +
                          (setting.value.empty() ? "" : "=" + setting.value));
      }
    }
  }
  return carried;
}

} // namespace rb::cluster

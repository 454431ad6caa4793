// Which files of a host state a bare host gets back. Certificates and credentials are not among
// them: the snapshot's bootstrap data holds them, and newer files on the disk would stop k3s.
#include "restore/cluster/steps.hpp"

#include "archive/entry_path.hpp"

#include <algorithm>
#include <array>

namespace rb::cluster {

namespace {

constexpr std::array<std::string_view, 7> k_server_files{"server/token",
                                                         "server/agent-token",
                                                         "server/manifests/",
                                                         "server/static/",
                                                         "agent/pod-manifests/",
                                                         "agent/etc/containerd/config",
                                                         "agent/etc/kubelet.conf.d/"};
constexpr std::array<std::string_view, 7> k_host_files{"/etc/rancher/",
                                                       "/var/lib/railiance-backup/signing.",
                                                       "/etc/systemd/system/k3s",
                                                       "/etc/default/k3s",
                                                       "/etc/sysconfig/k3s",
                                                       "/etc/init.d/k3s",
                                                       "/etc/conf.d/k3s"};

/// Of those, what is state and no configuration.
constexpr std::array<std::string_view, 4> k_server_state{
    "server/token", "server/agent-token", "server/manifests/", "server/static/"};
constexpr std::array<std::string_view, 2> k_own_state{"/etc/rancher/node/",
                                                      "/var/lib/railiance-backup/signing."};

template <typename Names> bool fits(std::string_view path, const Names& names) {
  return std::any_of(
      names.begin(), names.end(), [&](std::string_view name) { return path.starts_with(name); });
}

} // namespace

std::string put_back_path(const std::string& archive_path,
                          const std::string& its_data_dir,
                          const std::string& data_dir,
                          bool keep_config) {
  if (!archive::check_entry_path(archive_path)) {
    return {};
  }
  const std::string path = "/" + archive_path;
  const std::string below = its_data_dir + "/";
  if (!its_data_dir.empty() && path.starts_with(below)) {
    const std::string rest = path.substr(below.size());
    const bool fitting = keep_config ? fits(rest, k_server_state) : fits(rest, k_server_files);
    return fitting ? data_dir + "/" + rest : std::string();
  }
  return (keep_config ? fits(path, k_own_state) : fits(path, k_host_files)) ? path : std::string();
}

} // namespace rb::cluster

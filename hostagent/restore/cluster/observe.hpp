// This host, as a restore sees it: the real ports, and what was found. Looking changes nothing.
#pragma once

#include "k3s/running_server.hpp"
#include "restore/cluster/lost_objects.hpp"
#include "restore/cluster/set_access.hpp"

#include "base/process.hpp"

#include <memory>
#include <string>

namespace rb::cluster {

/// As k3s names a node: what the configuration says, else the host's own name; in small letters.
[[nodiscard]] std::string node_name_of(const ServerSettings& settings);

/// What the service of the set `there` starts where that service is put back and the program is not
/// on this host, else empty: the install script has k3s in /usr/local/bin on one system, and in
/// /opt/bin on another. `its`: the settings of the set, `here`: those of the host.
[[nodiscard]] std::string find_absent_program(const set::HostState& there,
                                              const k3s::HostSettings& its,
                                              const k3s::HostSettings& here,
                                              const std::string& data_dir);

/// The unit of this host that starts k3s, where that of the set, which is put back, has another
/// name; else empty.
[[nodiscard]] std::string find_other_unit(const k3s::HostSettings& its,
                                          const k3s::HostSettings& here);

struct Host {
  RealProcessRunner processes;
  k3s::ProcServerProcesses servers;
  RealWaiter waiter;
  ProxiedClusterApi cluster;
  std::unique_ptr<k3s::ServiceManager> manager; ///< Null: none is known.
  ObservedHost observed;
  k3s::HostSettings settings =
      k3s::read_host_settings(k3s::DiskFiles()); ///< On the disk, at first.

  /// Where k3s has its data on this host, or would have it; without a final slash. `there`: the
  /// host state where the set has one, else null.
  [[nodiscard]] std::string data_dir(const HostHints& hints, const set::HostState* there) const;

  /// Finds the service manager and all facts. `opened`: the set of which files are put back, or
  /// null.
  void look(const HostHints& hints, const OpenedSet* opened);

  /// "systemctl stop k3s", as a person would type it on this host.
  [[nodiscard]] std::string typed_command(const HostHints& hints, const std::string& verb) const;
};

} // namespace rb::cluster

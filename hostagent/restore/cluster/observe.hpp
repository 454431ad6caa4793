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

struct Host {
  RealProcessRunner processes;
  k3s::ProcServerProcesses servers;
  RealWaiter waiter;
  ProxiedClusterApi cluster;
  std::unique_ptr<k3s::ServiceManager> manager; ///< Null: none is known.
  ObservedHost observed;
  k3s::HostSettings settings =
      k3s::read_host_settings(k3s::DiskFiles()); ///< On the disk, at first.

  /// Where k3s has its data on this host, or would have it; without a final slash.
  [[nodiscard]] std::string data_dir(const HostHints& hints) const;

  /// Finds the service manager and all facts. `opened`: the set of which files are put back, or
  /// null.
  void look(const HostHints& hints, const OpenedSet* opened);

  /// "systemctl stop k3s", as a person would type it on this host.
  [[nodiscard]] std::string typed_command(const HostHints& hints, const std::string& verb) const;
};

} // namespace rb::cluster

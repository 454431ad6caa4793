// This host, as the commands that restore a cluster see it.
#pragma once

#include "restore/cluster/cluster_api.hpp"
#include "restore/cluster/observe.hpp"
#include "restore/cluster/set_access.hpp"
#include "restore/options_restore.hpp"

#include <memory>

namespace rb::restore {

/// The real ports, and what was read off the host.
struct ClusterHost {
  RealProcessRunner processes;
  k3s::ProcServerProcesses servers;
  RealWaiter waiter;
  cluster::ProxiedClusterApi cluster;
  cluster::HostHints hints;
  k3s::HostSettings settings;
  std::unique_ptr<k3s::ServiceManager> manager; ///< May be null.
  cluster::ObservedHost observed;
};

/// `opened` is null where no set was opened. Changes nothing. Errors: invalid_argument (the
/// operator's commands).
[[nodiscard]] Status
look_at_host(ClusterHost& host, const RestoreCommand& command, const cluster::OpenedSet* opened);

/// "systemctl stop k3s", as a person would type it on this host.
[[nodiscard]] std::string
typed_command(const ClusterHost& host, const RestoreCommand& command, const std::string& verb);

} // namespace rb::restore

// Looks at the host, and changes nothing.
#pragma once

#include "k3s/running_server.hpp"
#include "restore/cluster/facts.hpp"
#include "restore/cluster/settings_reader.hpp"

#include "base/process.hpp"

#include <memory>
#include <string>

namespace rb::cluster {

/// What the operator says of the host; all may be empty.
struct HostHints {
  std::string k3s_program;
  std::string data_dir;
  k3s::ServiceCommands commands;
  std::string root; ///< Before the paths of host files; for tests.
};

/// As the operator gave them, else the systemd or OpenRC of this host with the unit that `here`, or
/// else the host state `there`, has. Null: none is known. Errors: invalid_argument.
[[nodiscard]] Result<std::unique_ptr<k3s::ServiceManager>>
find_service_manager(ProcessRunner& processes,
                     const HostHints& hints,
                     const k3s::HostSettings& here,
                     const k3s::HostSettings* there);

/// `manager` may be null. `there` is the host state where the set has one, else null.
[[nodiscard]] ObservedHost observe_host(ProcessRunner& processes,
                                        k3s::ServerProcesses& servers,
                                        k3s::ServiceManager* manager,
                                        const HostHints& hints,
                                        const k3s::HostSettings& here,
                                        const set::HostState* there);

} // namespace rb::cluster

// Supervisors that may start k3s and that no service manager of ours is for: runit and s6. Which
// one it is, and the commands for it that an operator can give.
#pragma once

#include "k3s/running_server.hpp"

#include <string>
#include <vector>

namespace rb::cluster {

struct Supervisor {
  std::string name;    ///< "runit", "s6"; empty: none is known.
  std::string service; ///< The directory of the service that it runs k3s as; empty: not known.
};

/// The one above the first of `servers` that has one, else that which is process 1. Reads /proc, or
/// what stands for it.
[[nodiscard]] Supervisor find_supervisor(const std::vector<k3s::ServerProcess>& servers,
                                         const std::string& proc = "/proc");

/// Of a known one; where its service is not known, with its usual place.
[[nodiscard]] k3s::ServiceCommands commands_for(const Supervisor& supervisor);

/// "--stop-command '…' --start-command '…' --status-command '…'"
[[nodiscard]] std::string options_for(const Supervisor& supervisor);

} // namespace rb::cluster

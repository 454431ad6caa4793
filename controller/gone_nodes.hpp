// Entries of BackupStatus whose nodes are gone. Each node that was ever a server has left one, and
// the list is bounded (crds/): without this a cluster whose servers are replaced would one day have
// no room for those that it has.
#pragma once

#include "controller/backup_status.hpp"

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::controller {

/// A server that is only away for repair keeps its entry.
inline constexpr std::chrono::seconds k_forgotten_after{std::chrono::hours(24 * 30)};

/// Nodes without a pod of the agent that have said nothing for longer than that.
[[nodiscard]] std::vector<std::string> forgotten_nodes(const BackupStatusView& view);

/// Takes their entries out of the object, as it is now. An agent that comes back makes its entry
/// anew. Errors: those of kube::Client; invalid_argument where the list changed in between.
[[nodiscard]] Status remove_nodes(kube::Client& client,
                                  const std::vector<std::string>& names,
                                  const std::stop_token& stop);

} // namespace rb::controller

// How the other servers of a cluster come back to the one that was restored: the words of it, once,
// for RESTORE.md and for the end of a restore.
#pragma once

#include "set/restore_guide.hpp"

#include <string>
#include <vector>

namespace rb::set {

/// With nothing but k3s, as lines of sh; to be run on the other server. `url` is that of the
/// restored one; paths are absolute.
[[nodiscard]] std::vector<std::string>
rejoin_by_hand(const std::string& data_dir, const std::string& config_dir, const std::string& url);

/// The section of RESTORE.md. Empty for a set of a datastore that only one server has.
[[nodiscard]] std::string other_servers_section(const Manifest& manifest, const GuideFacts& facts);

} // namespace rb::set

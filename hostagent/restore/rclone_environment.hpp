// What rclone gets to see of the environment of who calls fetch or list --remote.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace rb::restore {

/// Of "NAME=value" what rclone gets to see: where its configuration, remotes, keys and proxies are,
/// so that it finds what it finds for the operator. Nothing that changes what it copies, or where
/// its words go (RCLONE_DRY_RUN, RCLONE_LOG_FILE), and nothing else.
[[nodiscard]] std::map<std::string, std::string>
rclone_environment(const std::vector<std::string>& all);

} // namespace rb::restore

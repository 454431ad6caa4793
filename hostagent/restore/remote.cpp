#include "restore/remote.hpp"

#include <unistd.h>

#include <algorithm>

namespace rb::restore {

namespace {

/// "/usr/bin/rclone", or empty.
std::string find_on_path(const std::string& path) {
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    std::string candidate = path.substr(at, end - at) + "/rclone";
    if (candidate.front() == '/' && end > at && ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    at = end + 1;
  }
  return {};
}

} // namespace

Result<std::unique_ptr<RemoteHandle>> open_store(const RemoteOptions& options, const Io& io) {
  offsite::RcloneSettings settings;
  settings.program = options.program;
  settings.remote = options.remote;
  settings.config_file = options.config_file;
  settings.environment = io.rclone_environment;
  if (settings.program.empty()) {
    const auto path = io.rclone_environment.find("PATH");
    settings.program = find_on_path(path == io.rclone_environment.end()
                                        ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"
                                        : path->second);
  }
  if (settings.program.empty()) {
    return Error{
        ErrorCode::not_found,
        "rclone is not on this machine",
        "install it (apt-get install rclone, or https://rclone.org/downloads), or say where "
        "it is: --rclone PATH"};
  }
  return std::make_unique<RemoteHandle>(std::move(settings));
}

} // namespace rb::restore

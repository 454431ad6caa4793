// The command line of railiance-backup-agent.
#pragma once

#include "agent/settings.hpp"

#include "log/log.hpp"

#include <optional>
#include <string>

namespace rb::agent {

struct Options {
  Settings settings;
  std::string kube_kubeconfig; ///< Empty: the pod's service account.
  std::string metrics_listen = "127.0.0.1:9809";
  std::string log_level = "info";
  log::Format log_format = log::Format::automatic;
};

struct Parsed {
  Options options;
  std::optional<int> exit_code; ///< Set: nothing more to do (help, version, wrong usage: 2).
};

/// Node name and agent id may also come from NODE_NAME and POD_UID.
[[nodiscard]] Parsed parse_options(int argc, const char* const* argv);

} // namespace rb::agent

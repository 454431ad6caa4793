// The command line of railiance-backup-controller.
#pragma once

#include "controller/standing.hpp"
#include "terminal/log.hpp"

#include "base/result.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace rb::controller {

struct Options {
  std::string name_space = "railiance-backup";
  std::string sops_yaml = "/etc/railiance-backup/.sops.yaml";
  std::string identity; ///< Default: the host name, which is the pod's name.
  std::string metrics_listen = "0.0.0.0:8080";
  std::string log_level = "info";
  log::Format log_format = log::Format::automatic;
  std::int32_t keep_last = 7;
  std::chrono::seconds agent_wait{60};
  Expectation expectation;
  std::string kubeconfig; ///< Empty: in-cluster.
};

/// The options, or nullopt with `exit_code` set: help or version was printed, or what was wrong.
[[nodiscard]] std::optional<Options>
parse_options(int argc, const char* const* argv, int& exit_code);

} // namespace rb::controller

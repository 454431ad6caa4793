// The command line of railiance-backup-agent.
#pragma once

#include "agent/settings.hpp"
#include "terminal/log.hpp"

#include <optional>
#include <string>

namespace rb::agent {

/// With a `remote` this process copies complete sets there, by rclone, and carries out no orders.
struct OffsiteOptions {
  std::string remote;
  std::string rclone_program = "/usr/bin/rclone";
  std::string rclone_config = "/etc/railiance-offsite/rclone.conf";
  std::string ca_file; ///< Empty: the certificates of the system.
  std::string bandwidth_limit;
  std::string state_dir = "/var/lib/railiance-backup/offsite";
  std::string public_key_file = "/var/lib/railiance-backup/public/signing.pub";
  std::vector<int> ports; ///< That the network policy lets through; empty: there is no policy.
  unsigned keep_last = 0;
  std::chrono::seconds first_retry{30};
  std::chrono::seconds look_every{10};
  std::chrono::seconds compare_every{21600};
  std::chrono::seconds reread_every{86400};
};

struct Options {
  Settings settings;
  OffsiteOptions offsite;
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

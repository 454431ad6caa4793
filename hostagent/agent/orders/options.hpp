// The command line of railiance-backup-agent.
#pragma once

#include "agent/host/settings.hpp"
#include "notify/delivery.hpp"
#include "offsite/rclone.hpp"
#include "offsite/replicator.hpp"
#include "terminal/log.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::agent {

/// With a remote this process copies complete sets there, by rclone, and carries out no orders.
struct OffsiteOptions {
  offsite::RcloneSettings rclone{.program = "/usr/bin/rclone",
                                 .remote = {},
                                 .config_file = "/etc/railiance-offsite/rclone.conf",
                                 .environment = {{"TMPDIR", "/tmp"}},
                                 .ca_file = {},
                                 .bandwidth_limit = {}};
  offsite::ReplicatorSettings replicator{.backup_dir = {},
                                         .state_dir = "/var/lib/railiance-backup/offsite",
                                         .public_key_file =
                                             "/var/lib/railiance-backup/public/signing.pub",
                                         .keep_last = 0,
                                         .schedule = {}};
  std::string node_name;  ///< Whose own rclone.conf counts, where there is one.
  std::vector<int> ports; ///< That the network policy lets through; empty: there is no policy.
  std::chrono::seconds look_every{10};
};

struct Options {
  Settings settings;
  OffsiteOptions offsite;
  notify::Settings notify;     ///< The webhook alone; what is told: lookout.hpp.
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

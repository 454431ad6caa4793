// The options of what works on an off-site copy: list --remote, and fetch.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace rb::restore {

struct RemoteOptions {
  std::string remote;      ///< "nextcloud:backups/cluster"; empty: the disk.
  std::string program;     ///< rclone; empty: the first one on $PATH.
  std::string config_file; ///< rclone.conf; empty: where rclone looks.
};

struct FetchCommand {
  std::string set; ///< A run id, or "latest".
  std::string to;  ///< Empty: the backup directory.
  RemoteOptions remote;
  bool allow_unsigned = false; ///< Fetch a set that is not signed by a host whose key is known.
};

/// Adds --remote, --rclone and --rclone-config to a command.
void add_remote(CLI::App& command, RemoteOptions& remote);

/// Adds the command fetch.
void add_fetch(CLI::App& app, FetchCommand& fetch);

} // namespace rb::restore

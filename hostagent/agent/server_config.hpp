// The few settings of the k3s server that change how its snapshot command must be called.
// Source: k3s, config.yaml and config.yaml.d/*.yaml|yml, later files override earlier ones.
#pragma once

#include "base/result.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace rb::agent {

struct ServerConfig {
  std::string snapshot_dir;       ///< etcd-snapshot-dir; empty: k3s's default.
  std::string datastore_endpoint; ///< Set: the datastore is not in the data directory.
  std::string https_listen_port;  ///< Empty: 6443.
  bool etcd_disabled = false;     ///< disable-etcd: a server that has no datastore of its own.
  bool logs_to_file = false;      ///< `log:` sends the command's own output to that file, too.
};

/// One file laid over what the earlier ones said. `path` is for messages.
/// Errors: corrupt (not YAML, or not a mapping); `config` is then as it was.
[[nodiscard]] Status
merge_server_config(ServerConfig& config, std::string_view text, const std::string& path);

/// Reads <config_dir>/k3s/config.yaml and config.yaml.d. Files that are not there are not missed.
/// Errors: corrupt, permission_denied, io.
[[nodiscard]] Result<ServerConfig> read_server_config(const std::string& config_dir);

/// Where the server puts its snapshots: `configured` (relative ones below <data_dir>/server, where
/// the server's working directory is), or <data_dir>/server/db/snapshots.
[[nodiscard]] std::string snapshot_directory(const std::string& data_dir,
                                             const std::string& configured);

} // namespace rb::agent

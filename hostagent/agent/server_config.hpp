// The few settings of the k3s server that change how its snapshot command must be called.
#pragma once

#include "k3s/host_settings.hpp"

#include "base/result.hpp"

#include <string>

namespace rb::agent {

struct ServerConfig {
  std::string snapshot_dir;       ///< etcd-snapshot-dir; empty: k3s's default.
  std::string datastore_endpoint; ///< Masked. Set: the datastore is not in the data directory.
  std::string https_listen_port;  ///< Empty: 6443.
  bool etcd_disabled = false;     ///< disable-etcd: a server that has no datastore of its own.
  bool logs_to_file = false;      ///< `log:` sends the command's own output to that file, too.
};

[[nodiscard]] ServerConfig server_config_of(const k3s::ServerSettings& settings);

/// Errors: corrupt (a file that k3s could not read, either).
[[nodiscard]] Result<ServerConfig> read_server_config(const k3s::HostFiles& files);

/// Where the server puts its snapshots: `configured` (relative ones below <data_dir>/server, where
/// the server's working directory is), or <data_dir>/server/db/snapshots.
[[nodiscard]] std::string snapshot_directory(const std::string& data_dir,
                                             const std::string& configured);

} // namespace rb::agent

// How `k3s etcd-snapshot` is called. Source of the rules: k3s's flags and its issues 8730, 10513,
// 12945, 14526.
#pragma once

#include "base/process.hpp"

#include <chrono>
#include <string>

namespace rb::agent {

/// The server that the command talks to.
struct K3sCommand {
  std::string program; ///< Absolute path.
  std::string data_dir;
  std::string node_name;
  std::string snapshot_dir; ///< Only where the server uses one of its own; else empty.
  std::string etcd_server;  ///< Empty: k3s's default, https://127.0.0.1:6443.
  bool logs_to_file = false;
};

/// `etcd-snapshot save`: flags after the subcommand (before it they are lost), in their long
/// spellings (two forms of one flag are refused), compression and S3 off whatever config.yaml says.
[[nodiscard]] ProcessSpec
save_spec(const K3sCommand& command, const std::string& run_id, std::chrono::seconds timeout);

/// `etcd-snapshot delete`: all flags stand before the name (after it they are not read).
[[nodiscard]] ProcessSpec delete_spec(const K3sCommand& command, const std::string& snapshot_name);

/// `k3s --version`.
[[nodiscard]] ProcessSpec version_spec(const K3sCommand& command);

} // namespace rb::agent

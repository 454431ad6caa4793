// The k3s server that an installation is for: what of its settings the manifests must know, and
// whether it can be one at all. Settings are read as the whole product reads them (lib/k3s).
#pragma once

#include "datastore/detect.hpp"
#include "k3s/host_settings.hpp"

#include "base/result.hpp"

#include <string>
#include <vector>

namespace rb::install {

struct HostFacts {
  unsigned user_id = 0;
  std::string host_name;
  std::string node_id;     ///< What k3s appends to the node's name (--with-node-id); may be empty.
  std::string k3s_program; ///< Absolute; empty: there is none.
  k3s::HostSettings settings;
  std::string data_dir;
  bool has_server = false;                             ///< A server keeps its data in data_dir.
  bool has_agent = false;                              ///< A node does.
  datastore::Place datastore = datastore::Place::none; ///< Where the server keeps its state.
};

/// Looks; `root` stands before the paths of settings. `k3s_program` empty: as the service
/// has it, or where it usually is.
[[nodiscard]] HostFacts look_at_host(const std::string& root, const std::string& k3s_program);

/// `lasting`, where that is the same file as `program`: the name that leads to the k3s of tomorrow,
/// too. In a store of Nix the name of a program is that of one release, and goes with it.
[[nodiscard]] std::string lasting_program(const std::string& program, const std::string& lasting);

struct Server {
  std::string data_dir;
  std::string k3s_program;
  std::string kubeconfig;   ///< The admin's, which k3s writes.
  std::string snapshot_dir; ///< Empty: the usual one.
  std::string node_name;
  int api_port = 6443;
  std::vector<std::string> taints;   ///< Keys of those that the node was registered with.
  std::vector<std::string> warnings; ///< What the operator should know, and is no obstacle.
};

/// Errors: permission_denied (not root), not_found (no k3s, or no server yet), unsupported (a node
/// that is no server, or one whose containers are not run by k3s's own containerd),
/// invalid_argument (settings that k3s itself can't read).
[[nodiscard]] Result<Server> server_of(const HostFacts& facts);

} // namespace rb::install

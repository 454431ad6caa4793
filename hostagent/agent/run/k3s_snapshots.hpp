// Our snapshots at the k3s of this server: where they appear, how one is taken, how one is found
// again, and how it goes.
#pragma once

#include "agent/host/settings.hpp"
#include "datastore/detect.hpp"
#include "k3s/etcd_snapshot.hpp"
#include "k3s/server_settings.hpp"

#include "base/process.hpp"

#include <string>
#include <vector>

namespace rb::agent {

/// How to call k3s for this server, and where its snapshots appear.
struct K3sPlace {
  k3s::ServerSettings settings;
  k3s::K3sCommand command;
  std::string snapshot_dir; ///< Where we have them put.
  /// All places where a plaintext of ours may lie: that one, the server's usual one, and the one
  /// that its configuration names now.
  std::vector<std::string> plaintext_dirs;
  datastore::Place datastore = datastore::Place::none; ///< Where the server keeps its state.
  std::string service = {}; ///< That starts the server, "k3s"; empty: none is known.
};

/// The address of the server that is not k3s's own default, or empty: what the agent was told, else
/// what the server's configuration says.
[[nodiscard]] std::string other_server_url(const Settings& settings,
                                           const k3s::ServerSettings& server);

/// Configuration that cannot be read is taken as absent. A directory of the configuration that is
/// not to be seen here (a container) is not used: k3s takes one with each call.
[[nodiscard]] K3sPlace find_k3s(const Settings& settings);

/// A link in the place of the directory, to what a container does not see: k3s would put a
/// plaintext where nobody finds it. Errors: not_found (snapshot_failed).
[[nodiscard]] Status check_snapshot_dir(const K3sPlace& k3s);

struct BackupRun;

struct SavedSnapshot {
  std::string name;
  std::string path;
};

/// Calls `k3s etcd-snapshot save`, again while the server is busy (Settings::save_attempts), and
/// waits for a file that comes late. What the file holds has not been looked at. Each error bears
/// its reason.
[[nodiscard]] Result<SavedSnapshot> save_snapshot(const BackupRun& run);

/// Names of the regular files in k3s's snapshot directory that belong to that run, those of other
/// nodes and partial ones included. A directory that is not there has none. Errors: io.
[[nodiscard]] Result<std::vector<std::string>> snapshots_of_run(const std::string& snapshot_dir,
                                                                const std::string& run_id);

/// Removes exactly `name` from `snapshot_dir`: with etcd by `k3s etcd-snapshot delete`, so that k3s
/// forgets it, too, and if that does not do it, by unlink(2). Never stopped half-way: it has a
/// timeout of its own. Returns whether k3s did it. Errors: invalid_argument (not a name of ours),
/// those of unlink(2).
[[nodiscard]] Result<bool> remove_snapshot(ProcessRunner& processes,
                                           const K3sPlace& k3s,
                                           const std::string& snapshot_dir,
                                           const std::string& name);

} // namespace rb::agent

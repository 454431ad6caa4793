// One backup run on this host, from the lock to the stamp. It needs no API server: what comes from
// there (the Helm payload) and what goes there (the status) passes through ports.
// After a failure at any step the earlier sets and `.last-backup` are as they were.
#pragma once

#include "agent/kit_image.hpp"
#include "agent/payload_source.hpp"
#include "agent/prover.hpp"
#include "agent/run_control.hpp"
#include "agent/run_order.hpp"
#include "agent/settings.hpp"
#include "agent/snapshot_step.hpp"
#include "k3s/etcd_snapshot.hpp"
#include "k3s/server_settings.hpp"
#include "set/directory.hpp"

#include "base/clock.hpp"
#include "base/process.hpp"

#include <functional>

namespace rb::agent {

/// Told what happens; called from the run's threads, must return quickly.
class RunObserver {
public:
  RunObserver() = default;
  virtual ~RunObserver() = default;
  RunObserver(const RunObserver&) = delete;
  RunObserver& operator=(const RunObserver&) = delete;
  RunObserver(RunObserver&&) = delete;
  RunObserver& operator=(RunObserver&&) = delete;

  /// Conditions, artifacts and so on, so far; `progress` is not set.
  virtual void on_status(const api::NodeBackupStatus& status) = 0;
  virtual void on_progress(const api::Progress& progress) = 0;
};

using OpenDirectory = std::function<Result<set::Directory>(const std::string& path)>;

/// The world of a run. All references outlive it.
struct RunPorts {
  ProcessRunner& processes;
  const Clock& clock;
  PayloadSource& payloads;
  RunObserver& observer;
  OpenDirectory open_directory = set::Directory::open;
  Wait wait = real_wait();
  Prover* prover = nullptr;  ///< Null: nothing can be proven here.
  OwnImage* image = nullptr; ///< Null: the kit holds none.
};

/// Carries out one order. Only one at a time for a directory: a second one, in this process or
/// another, ends with host_busy. `control` stops it between steps and inside the long ones.
[[nodiscard]] RunReport run_backup(const Settings& settings,
                                   const RunOrder& order,
                                   const RunPorts& ports,
                                   const RunControl& control);

/// How to call k3s for this server, and where its snapshots appear. Configuration that cannot be
/// read is taken as absent. A directory of the configuration that is not to be seen here (a
/// container) is not used: k3s takes one with each call.
struct K3sPlace {
  k3s::ServerSettings settings;
  k3s::K3sCommand command;
  std::string snapshot_dir; ///< Where we have them put.
  /// All places where a plaintext of ours may lie: that one, the server's usual one, and the one
  /// that its configuration names now.
  std::vector<std::string> plaintext_dirs;
};
[[nodiscard]] K3sPlace find_k3s(const Settings& settings);

} // namespace rb::agent

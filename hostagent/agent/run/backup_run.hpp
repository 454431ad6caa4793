// One backup run on this host, from the lock to the stamp. It needs no API server: what comes from
// there (the Helm payload) and what goes there (the status) passes through ports.
// After a failure at any step the earlier sets and `.last-backup` are as they were.
#pragma once

#include "agent/host/backup_disk.hpp"
#include "agent/host/kit.hpp"
#include "agent/host/settings.hpp"
#include "agent/run/helm_payload.hpp"
#include "agent/run/prover.hpp"
#include "agent/run/run_control.hpp"
#include "agent/run/run_status.hpp"

#include "api/backup.hpp"
#include "base/clock.hpp"
#include "base/process.hpp"

#include <functional>

namespace rb::agent {

/// What a NodeBackup asks for; nothing in it depends on an API server. A deadline of 1970 is none.
struct RunOrder : api::NodeBackupSpec {
  std::string cluster_backup_uid;
  std::int64_t generation = 0;

  [[nodiscard]] bool wants(api::ArtifactType type) const;
};

[[nodiscard]] RunOrder run_order_from(const api::NodeBackup& order);

/// The world of a run. What is referred to outlives it.
struct RunPorts {
  ProcessRunner& processes;
  const Clock& clock;
  Waiter& waiter;
  FetchPiece fetch_piece;
  /// Told what happens, from the run's threads; they must return quickly. The status has
  /// conditions, artifacts and so on, so far, and no progress.
  std::function<void(const api::NodeBackupStatus&)> on_status = [](const auto&) {};
  std::function<void(const api::Progress&)> on_progress = [](const auto&) {};
  OpenDirectory open_directory = set::Directory::open;
  Prover* prover = nullptr; ///< Null: nothing can be proven here.
  AskImage ask_image = {};  ///< Empty: the kit holds none.
};

/// Carries out one order. Only one at a time for a directory: a second one, in this process or
/// another, ends with host_busy. `control` stops it between steps and inside the long ones.
[[nodiscard]] RunReport run_backup(const Settings& settings,
                                   const RunOrder& order,
                                   const RunPorts& ports,
                                   const RunControl& control);

} // namespace rb::agent

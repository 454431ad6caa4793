// Keeps account of the plaintext snapshots that we caused, so that none outlives its run, whatever
// happens to the agent: before a snapshot is asked for, a marker `.unfinished-<run id>` is written
// into the backup directory; it goes when the snapshot is known to be gone.
#pragma once

#include "k3s/etcd_snapshot.hpp"
#include "set/directory.hpp"

#include "base/clock.hpp"
#include "base/process.hpp"

#include <string>
#include <vector>

namespace rb::agent {

/// Writes the marker durably; one that is there is taken as it is. Errors: those of Fs.
[[nodiscard]] Status mark_unfinished(set::Directory& directory, const std::string& run_id);

[[nodiscard]] Status clear_unfinished(set::Directory& directory, const std::string& run_id);

/// The run ids of the markers, oldest first.
[[nodiscard]] Result<std::vector<std::string>> unfinished_runs(set::Directory& directory);

/// Names of the regular files in k3s's snapshot directory that belong to that run, those of other
/// nodes and partial ones included. A directory that is not there has none. Errors: io.
[[nodiscard]] Result<std::vector<std::string>> snapshots_of_run(const std::string& snapshot_dir,
                                                                const std::string& run_id);

/// Removes exactly `name` from `snapshot_dir`: by `k3s etcd-snapshot delete`, so that k3s forgets
/// it, too, and if that does not do it, by unlink(2). Never stopped half-way: it has a timeout of
/// its own. Returns whether k3s did it. Errors: invalid_argument (not a name of ours), those of
/// unlink(2).
[[nodiscard]] Result<bool> remove_snapshot(ProcessRunner& processes,
                                           const k3s::K3sCommand& command,
                                           const std::string& snapshot_dir,
                                           const std::string& name);

struct SweepResult {
  std::vector<std::string> removed;   ///< Snapshot files.
  std::vector<std::string> cut_off;   ///< Runs whose artifacts were removed: no manifest.
  std::vector<std::string> remaining; ///< Run ids whose markers stay.
};

/// Clears up after the runs that have a marker: their snapshots, in whatever directory, and
/// artifacts without a manifest.
/// A marker goes when nothing of its run is left and the run is older than `settle_time`: a save
/// that timed out may still write its file. Call it under the directory's lock.
[[nodiscard]] Result<SweepResult> sweep_unfinished(set::Directory& directory,
                                                   ProcessRunner& processes,
                                                   const k3s::K3sCommand& command,
                                                   const std::vector<std::string>& snapshot_dirs,
                                                   SystemTime now);

inline constexpr std::chrono::seconds k_settle_time{600};

} // namespace rb::agent

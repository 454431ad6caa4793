// What a run leaves that ended with its process: the plaintext snapshot that it had k3s take,
// artifacts without a manifest, no line in backup.log, an order without a report. So that no
// plaintext outlives its run, whatever happens to the agent, a marker `.unfinished-<run id>` is
// written into the backup directory before a snapshot is asked for; it goes when the snapshot is
// known to be gone.
#pragma once

#include "agent/run/backup_run.hpp"
#include "agent/run/k3s_snapshots.hpp"

#include <string>
#include <vector>

namespace rb::agent {

/// Writes the marker durably; one that is there is taken as it is. Errors: those of Fs.
[[nodiscard]] Status mark_unfinished(set::Directory& directory, const std::string& run_id);

[[nodiscard]] Status clear_unfinished(set::Directory& directory, const std::string& run_id);

/// The run ids of the markers, oldest first.
[[nodiscard]] Result<std::vector<std::string>> unfinished_runs(set::Directory& directory);

/// The runs that were cut off, oldest first, as the directory shows them: `marked` (those with a
/// marker), and those with artifacts but no manifest. A set that is being removed is none. Pure.
[[nodiscard]] std::vector<std::string> cut_off_runs(const std::vector<DirectoryEntry>& entries,
                                                    std::vector<std::string> marked);

struct SweepResult {
  std::vector<std::string> removed;   ///< Snapshot files.
  std::vector<std::string> cut_off;   ///< Runs whose artifacts were removed: no manifest.
  std::vector<std::string> remaining; ///< Run ids whose markers stay.
};

/// A marker stays so long: a save that timed out may still write its file.
inline constexpr std::chrono::seconds k_settle_time{600};

/// Writes a line "result=Interrupted" for each run that was cut off and has no line yet (a failure
/// is only logged), and clears up after the runs that have a marker: their snapshots, in each
/// directory where one may lie, and artifacts without a manifest. A marker goes when nothing of its
/// run is left and the run is older than k_settle_time. What cannot be removed, or looked at, keeps
/// nothing else: it is the error, after all was tried. Call it under the directory's lock.
[[nodiscard]] Result<SweepResult> sweep_unfinished(set::Directory& directory,
                                                   ProcessRunner& processes,
                                                   const K3sPlace& k3s,
                                                   SystemTime now);

/// The same with a lock of its own, and partial files too. Returns the run ids whose markers stay
/// (their snapshots may still appear). Errors: busy (a run is going on), those of the directory.
[[nodiscard]] Result<std::vector<std::string>> sweep_host(const Settings& settings,
                                                          ProcessRunner& processes,
                                                          const Clock& clock,
                                                          const OpenDirectory& open_directory);

/// There is a manifest of the run that `order` asks for. One of another request under the same run
/// id (a clock went back) does not count. False also when the directory cannot be read.
[[nodiscard]] bool has_manifest(const Settings& settings, const RunOrder& order);

/// What became of a run that no living process carries out: its manifest's word, or Interrupted. It
/// gets its line in backup.log, if it has none. Call it after sweep_host.
[[nodiscard]] RunReport
report_from_disk(const Settings& settings, const RunOrder& order, const Clock& clock);

} // namespace rb::agent

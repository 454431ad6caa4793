// What a run leaves that ended with its process: the plaintext snapshot that it had k3s take,
// artifacts without a manifest, no line in backup.log, an order without a report. So that no
// plaintext outlives its run, whatever happens to the agent, a marker `.unfinished-<run id>` is
// written into the backup directory before a snapshot is asked for; it goes when the snapshot is
// known to be gone.
#pragma once

#include "agent/run/backup_run.hpp"
#include "agent/run/k3s_snapshots.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rb::agent {

/// Writes the marker durably, with the name of the node that makes the set; one that is there is
/// taken as it is. Errors: busy (it is another node's: two servers have one directory), those of
/// Fs.
[[nodiscard]] Status
mark_unfinished(set::Directory& directory, const std::string& run_id, const std::string& node_name);

/// Another server's marker counts so long: a server that is gone ends no backup of the others.
inline constexpr std::chrono::hours k_other_server_time{2};

/// Whether no other server is making a set in the same directory, as one on a NAS may be that is
/// mounted on each of them: a lock of NFS and SMB on a directory is seen on one host only, and what
/// looks left over would be the other one's. Errors: busy (it names the server), those of Fs.
[[nodiscard]] Status
check_alone(set::Directory& directory, const std::string& node_name, SystemTime now);

/// Whether one server of the run that `order` asks for made the set, and this one is another of
/// them. A host that was restored under another name is none of them. Pure.
[[nodiscard]] bool is_of_another_server(const set::Manifest& manifest,
                                        const RunOrder& order,
                                        const std::string& node_name);

/// Of a set that another server, `node_name`, made for the same run, or makes.
[[nodiscard]] Error
shared_with(const std::string& directory, const std::string& run_id, const std::string& node_name);

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
/// (their snapshots may still appear). Errors: busy (a run is going on, here or on a server that
/// has the same directory), those of the directory.
[[nodiscard]] Result<std::vector<std::string>> sweep_host(const Settings& settings,
                                                          ProcessRunner& processes,
                                                          const Clock& clock,
                                                          const OpenDirectory& open_directory);

/// There is a manifest of the run that `order` asks for. One of another request under the same run
/// id (a clock went back) does not count, nor one of another server that has the same directory.
/// False also when the directory cannot be read.
[[nodiscard]] bool has_manifest(const Settings& settings, const RunOrder& order);

/// What became of a run that no living process carries out: its manifest's word, or Interrupted. It
/// gets its line in backup.log, if it has none. Call it after sweep_host.
[[nodiscard]] RunReport
report_from_disk(const Settings& settings, const RunOrder& order, const Clock& clock);

} // namespace rb::agent

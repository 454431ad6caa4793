// Retention that can't hurt: which sets go is decided here, without I/O; how they go survives a
// crash at every step.
#pragma once

#include "set/sets.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::set {

/// Run ids come from the controller's clock and are judged by the agent's: two machines' clocks may
/// be apart by this much.
inline constexpr std::chrono::seconds k_clock_tolerance{60};

struct RetentionPolicy {
  int keep_last = 7; ///< Complete sets that stay; less than 1 is taken as 1.
  /// The run that has just ended; its set never goes. May be empty.
  std::string current_run_id;
  /// The newest set known to be verified (read back with its digests); it never goes.
  /// Absent: the newest good set.
  std::optional<std::string> newest_verified_run_id;
  /// The set that the cluster was last restored from (.last-restore): it stays, whatever its age,
  /// until another one was restored. It counts only where it is among the newest.
  std::string last_restored_run_id{}; // NOLINT(readability-redundant-member-init)
  /// The run that has just ended is incomplete: nothing but incomplete sets goes.
  bool only_incomplete = false;
};

struct RemovalPlan {
  std::vector<std::string> run_ids; ///< In the order in which they should go: incomplete first,
                                    ///< then oldest first.
  /// The clock is more than k_clock_tolerance behind the newest set: nothing is removed
  /// (Reason::clock_anomaly).
  bool clock_anomaly = false;
  std::string ahead_run_id; ///< Then: that set.
};

/// Keeps the newest `keep_last` good sets (complete, and proven where that was asked for), what
/// latest_of() names, and what is newer than the newest good one, of incomplete sets with a
/// manifest as many: `keep_last` of those from which a cluster can be restored, and of the others,
/// so that a disk does not fill while every run is incomplete. Incomplete sets older than the
/// newest good one go first and do not count; damaged sets do not count and go once they are older
/// than every set that is kept. Complete sets whose proof failed are counted for themselves: as
/// many stay, so that they neither push out a good set nor fill the disk; old ones go as damaged
/// ones do. Where there is no good set, nothing but those and what is too much of incomplete ones
/// goes. Pure; `sets` in any order.
[[nodiscard]] RemovalPlan select_for_removal(const std::vector<BackupSet>& sets,
                                             const RetentionPolicy& policy,
                                             SystemTime now);

/// Sets of one kind count against each other, and against no others: seven kubeconfigs must not
/// push out the last copy of the datastore, nor seven sets by hand those of the schedule.
struct SetKind {
  std::vector<api::ArtifactType> requested; ///< Sorted.
  bool manual = false;

  auto operator<=>(const SetKind&) const = default;
};

[[nodiscard]] SetKind kind_of(const Manifest& manifest);

/// Of `sets`, those of that kind. Sets without a manifest belong to every kind. Pure.
[[nodiscard]] std::vector<BackupSet> sets_like(const SetKind& kind, std::vector<BackupSet> sets);

/// The kinds of `sets`, each once. Pure.
[[nodiscard]] std::vector<SetKind> kinds_of_sets(const std::vector<BackupSet>& sets);

/// The set that can be given up first where a full disk lets no run end, so that nothing is ever
/// pruned: the oldest, when latest_of() names a newer one. Nobody misses it in the catalogue. Null:
/// there is none. Pure.
[[nodiscard]] const BackupSet* to_give_up(const std::vector<BackupSet>& sets);

/// Removes one set, or touches nothing of it where a file of it can't be removed (permission_denied
/// names it). First its manifest is renamed to "….removing" and the directory synced, so
/// that no crash leaves a manifest that promises files which are gone; then the files, then the
/// renamed manifest. sweep_leftovers ends what a crash interrupted. Foreign files stay. A set that
/// was given new recipients goes generation by generation, the one that counts last.
[[nodiscard]] Status remove_set(Directory& directory, const std::string& run_id);

/// The same for one generation of a set.
[[nodiscard]] Status remove_generation(Directory& directory, const Version& version);

/// Removes what a crashed run left under names of ours: "<our name>.part", and the rest of sets
/// whose removal had begun. Foreign files stay, and what can't be removed: the next sweep tries
/// it again, and nobody waits for it. Call it under the lock. Returns the names removed. Errors:
/// those of Fs::list and of syncing.
[[nodiscard]] Result<std::vector<std::string>> sweep_leftovers(Directory& directory);

struct Pruned {
  struct Left {
    std::string run_id;
    Error why;
  };
  std::vector<std::string> removed;
  std::vector<Left> left; ///< What could not be removed; the next run tries it again.
};

/// remove_set for each of the plan. One that fails keeps no other.
[[nodiscard]] Pruned prune(Directory& directory, const RemovalPlan& plan);

} // namespace rb::set

// What is to be done off-site, and when. Pure: no clock, no disk, no network.
#pragma once

#include "offsite/remote_store.hpp"
#include "offsite/state.hpp"
#include "set/sets.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rb::offsite {

struct Schedule {
  std::chrono::seconds first_retry{30};      ///< Doubled after each failure…
  std::chrono::seconds longest_retry{3600};  ///< …up to this.
  std::chrono::seconds compare_every{21600}; ///< Are the sets over there still there?
  std::chrono::seconds reread_every{86400};  ///< One of them is read back whole; 0: none is.
};

/// The complete sets that are not known to be off-site, newest first. Not those that are known to
/// be damaged on the disk: the next attempt looks at them again.
[[nodiscard]] std::vector<const set::BackupSet*> pending(const std::vector<set::BackupSet>& sets,
                                                         const State& state);

/// The set over there that was not read back for the longest time, when it is time to read one;
/// else null.
[[nodiscard]] const set::BackupSet* to_reread(const std::vector<set::BackupSet>& sets,
                                              const State& state,
                                              SystemTime now,
                                              const Schedule& schedule);

/// Something is pending, or it is time to compare or to read back; and no pause after a failure
/// holds it back. A set that is newer than any that was tried does not wait. A clock that jumped
/// back never holds it for longer than the longest pause.
[[nodiscard]] bool is_due(const std::vector<set::BackupSet>& sets,
                          const State& state,
                          SystemTime now,
                          const Schedule& schedule);

/// 30 s, 60 s, 120 s … for the first, second, third failure in a row.
[[nodiscard]] std::chrono::seconds pause_after(unsigned failures, const Schedule& schedule);

/// The run ids of state.replicated that still stand: the set is on the disk, and all its files are
/// over there with their sizes.
[[nodiscard]] std::set<std::string> still_there(const State& state,
                                                const std::vector<set::BackupSet>& sets,
                                                const std::vector<RemoteFile>& remote);

/// The files of a set as they must be over there: artifacts, the signature, then the manifest.
[[nodiscard]] std::vector<RemoteFile> files_of(const set::BackupSet& set);

/// More sets with a manifest are over there than are to stay. `keep_last` 0: everything stays.
[[nodiscard]] bool are_too_many(const std::vector<RemoteFile>& remote, unsigned keep_last);

/// Retention over there, by the same rules as on the disk (set::select_for_removal): the run
/// ids to remove, oldest first, so that the newest `keep_last` good sets stay of each kind (of
/// those that were asked for the same artifacts); a set whose proof failed never pushes out a good
/// one. A set that is on the disk stays, and what has no manifest, and `last_restored` (may be
/// empty). `remote`: the sets over there. `keep_last` 0: everything stays.
[[nodiscard]] std::vector<std::string> to_remove(const std::vector<set::BackupSet>& remote,
                                                 const std::vector<set::BackupSet>& sets,
                                                 unsigned keep_last,
                                                 const std::string& last_restored,
                                                 SystemTime now);

/// Names of that run in the order in which they are removed: the manifest first, so that no set
/// over there promises files that are gone.
[[nodiscard]] std::vector<std::string> removal_order(const std::vector<RemoteFile>& remote,
                                                     const std::string& run_id);

} // namespace rb::offsite

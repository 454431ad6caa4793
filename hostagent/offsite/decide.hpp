// What is to be done off-site, and when, by what is on the disk and what is known to be off-site.
// Deciding is pure: no clock, no disk, no network.
#pragma once

#include "offsite/remote_store.hpp"
#include "set/sets.hpp"

#include "api/reason.hpp"
#include "base/clock.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rb::offsite {

inline constexpr std::string_view k_state_name = ".offsite-state";

/// Why the last attempt failed.
struct Trouble {
  api::Reason reason = api::Reason::remote_failed;
  std::string message;

  bool operator==(const Trouble&) const = default;
};

/// What is known to be off-site, kept over restarts in `.offsite-state` of a directory of its own:
/// who can write to the backup directory must not be able to say that all is copied. It only saves
/// work: without it every set is compared anew, and what is there is not sent again.
struct State {
  std::string remote; ///< What follows holds for this remote only.
  /// Sets that were sent and read back, by BackupSet::version(): one that got new recipients since
  /// then was not.
  std::set<std::string> replicated;
  std::map<std::string, std::string> kit; ///< SHA-256 by name, of the kit's files that were sent.
  std::string tried;                      ///< The newest version of the last attempt.
  unsigned failures = 0;                  ///< Attempts that failed since the last one that did not.
  /// An attempt was begun and did not come to its end, or failed: the kit may be old, and files
  /// that were replaced may still be there.
  bool unfinished = false;
  SystemTime not_before{}; ///< No attempt before, unless there is a newer set.
  SystemTime compared{};   ///< When the names and sizes over there were last looked at.
  std::map<std::string, SystemTime> read; ///< When a set was last read back, by version.
  SystemTime reread_at{};                 ///< When one of them was last read back in its turn.
  /// Complete sets that do not have the digests of their manifest here, and why: left out until the
  /// next attempt looks at them again. By version.
  std::map<std::string, std::string> damaged;
  /// Complete sets that are not worth sending (outdated()), until the next attempt looks again. By
  /// version.
  std::set<std::string> outdated;
  std::optional<Trouble> trouble;

  bool operator==(const State&) const = default;
};

[[nodiscard]] std::string serialize(const State& state);

/// Errors: corrupt, unsupported (another schema).
[[nodiscard]] Result<State> parse_state(std::string_view text);

/// The state for `remote`; an empty one when there is none, when it is another remote's, or when
/// it cannot be read.
[[nodiscard]] State read_state(set::Directory& directory, const std::string& remote);

/// In one durable step, mode 0600. Errors: those of Fs.
[[nodiscard]] Status write_state(set::Directory& directory, const State& state);

struct Schedule {
  std::chrono::seconds first_retry{30};      ///< Doubled after each failure…
  std::chrono::seconds longest_retry{3600};  ///< …up to this.
  std::chrono::seconds compare_every{21600}; ///< Are the sets over there still there?
  std::chrono::seconds reread_every{86400};  ///< One of them is read back whole; 0: none is.
};

/// The complete sets that are not known to be off-site, newest first. Not those that are known to
/// be damaged on the disk or not to be worth sending: the next attempt looks at them again.
[[nodiscard]] std::vector<const set::BackupSet*> pending(const std::vector<set::BackupSet>& sets,
                                                         const State& state);

/// The set over there that was not read back for the longest time, when it is time to read one;
/// else null.
[[nodiscard]] const set::BackupSet* to_reread(const std::vector<set::BackupSet>& sets,
                                              const State& state,
                                              SystemTime now,
                                              const Schedule& schedule);

/// Something is pending, or an attempt is unfinished, or it is time to compare or to read back; and
/// no pause after a failure holds it back. A set that is newer than any that was tried does not
/// wait. A clock that jumped back never holds it for longer than the longest pause.
[[nodiscard]] bool is_due(const std::vector<set::BackupSet>& sets,
                          const State& state,
                          SystemTime now,
                          const Schedule& schedule);

/// 30 s, 60 s, 120 s … for the first, second, third failure in a row.
[[nodiscard]] std::chrono::seconds pause_after(unsigned failures, const Schedule& schedule);

/// The versions of state.replicated that still stand: the set is on the disk, and all its files are
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

/// Of `waiting`, the versions that are not worth sending. Each server's retention over there spares
/// what is on its own disk, and no other's: where another node has newer sets there, it would
/// remove again what is older than those that stay. So they are not sent where the rules of
/// to_remove() would have them go, whosever disk they are on. A set whose run is over there is
/// worth it: it is mended, or gets new recipients. `remote`: the sets over there. Pure.
[[nodiscard]] std::set<std::string> outdated(const std::vector<const set::BackupSet*>& waiting,
                                             const std::vector<set::BackupSet>& remote,
                                             unsigned keep_last,
                                             SystemTime now);

/// What lies over there of older generations of sets that are there in the one that counts: they
/// were replaced, not removed, and who opens them is to open them no more. The manifest of each
/// first. Pure.
[[nodiscard]] std::vector<std::string> superseded(const std::vector<RemoteFile>& remote,
                                                  const std::vector<set::BackupSet>& sets,
                                                  const State& state);

/// Names of that run in the order in which they are removed: the manifest first, so that no set
/// over there promises files that are gone.
[[nodiscard]] std::vector<std::string> removal_order(const std::vector<RemoteFile>& remote,
                                                     const std::string& run_id);

} // namespace rb::offsite

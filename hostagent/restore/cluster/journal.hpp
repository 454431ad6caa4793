// What a restore has done so far, on the disk before and after every step, so that it can be
// resumed or undone after a crash at any point; where that journal is found again; and the lock
// that lets one restore at a time work with it.
#pragma once

#include "k3s/server_settings.hpp"
#include "restore/cluster/plan.hpp"

#include "base/fd.hpp"
#include "base/result.hpp"
#include "base/words.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rb::cluster {

enum class Phase {
  restoring,
  done,
  rolling_back,
  rolled_back, ///< The host is as it was.
};
[[nodiscard]] std::span<const Word<Phase>> words_of(Phase);

/// A file that is put back, and whether one was there (it is then in saved/files).
struct PutBackFile {
  std::string path; ///< Absolute.
  bool existed = false;
};

struct JournalState {
  Phase phase = Phase::restoring;
  std::string backup_dir;
  std::string started; ///< RFC 3339.
  Plan plan;
  std::vector<Step> completed;
  std::optional<Step> current; ///< Begun, and not known to be complete.
  std::string failure;         ///< Why it is rolled back.

  // As it was before the reset.
  bool recorded = false;     ///< What is below is.
  bool had_database = false; ///< There was one that the copy replaces.
  /// Of etcd: names of db/etcd-old-*. Of SQLite: which of state.db and etcd were there; empty in
  /// journals of before that was noted.
  std::vector<std::string> old_databases;
  /// Of etcd: that of them all which the first reset moved aside, the database that was there
  /// before; noted before anything is moved back. Of SQLite: where what was there is moved. Empty:
  /// not moved, or not yet known.
  std::string original;
  /// Of etcd, on a server that had SQLite: where that is moved, below server/db. Empty: there was
  /// none.
  std::string state_aside;
  std::vector<std::string> saved; ///< Names below server/ that are in saved/server.

  std::vector<PutBackFile> files;
  /// What the data directory held where there was no database in it (see names_of_data()): what is
  /// new is taken away on the way back. Nothing: not known.
  std::optional<std::vector<std::string>> before;
  std::vector<std::string> made;   ///< Directories that were not there, the outer ones first.
  std::string saved_dir = "saved"; ///< Below the work directory; each restore has its own.
  /// The restore before this one where that can be undone; one at most. It is in force again when
  /// this one is undone, and forgotten when this one has succeeded.
  std::vector<JournalState> earlier;

  [[nodiscard]] std::string saved_path() const { return plan.work_dir() + "/" + saved_dir; }
  [[nodiscard]] bool is_complete(Step step) const;
};

/// JSON with a final newline; no secrets are in it.
[[nodiscard]] std::string serialize(const JournalState& state);
/// Errors: corrupt.
[[nodiscard]] Result<JournalState> parse_journal(std::string_view text);

/// <work_dir>/journal.json.
class Journal {
public:
  explicit Journal(std::string work_dir) : m_work_dir(std::move(work_dir)) {}

  /// Nothing where no restore has begun. Errors: corrupt, those of read_text_file.
  [[nodiscard]] Result<std::optional<JournalState>> load() const;

  /// Replaces it in one step, durably; makes the directory (0700). Errors: no_space, io.
  [[nodiscard]] Status save(const JournalState& state) const;

  /// Nothing where there is none. Errors: those of the system.
  [[nodiscard]] Status remove() const;

private:
  std::string m_work_dir;
};

/// In which data directory the last restore left its journal is kept at a fixed place. A bare host
/// learns its data directory from the set; without this, only that set would lead back to it.
///
/// A restore there is found without being remembered.
using k3s::k_usual_data_dir;

/// Beside k3s's usual data directory; a file of mode 0600 with one path.
inline constexpr const char* k_place_file = "/var/lib/rancher/railiance-restore.place";

/// Notes that the journal is below `data_dir` (absolute), durably. Errors: no_space, io.
[[nodiscard]] Status remember_place(const std::string& data_dir,
                                    const std::string& file = k_place_file);

/// Notes `before` again, or nothing where that is empty. Errors: those of the system.
[[nodiscard]] Status forget_place(const std::string& before = {},
                                  const std::string& file = k_place_file);

/// The data directory that was noted last; empty where none was, or none that can be.
[[nodiscard]] std::string remembered_place(const std::string& file = k_place_file);

/// Gone with the host; in a directory that is k3s's own.
inline constexpr const char* k_restore_lock = "/run/k3s/railiance-restore.lock";

/// The journal of a restore, and in which data directory it lies.
struct FoundJournal {
  std::string data_dir; ///< That was looked in last.
  std::optional<JournalState> state;
};

/// The journal that `fits`, below `data_dir` or, unless the operator has `chosen` that, where the
/// last restore left one. Errors: those of Journal::load.
[[nodiscard]] Result<FoundJournal>
find_journal(const std::string& data_dir, bool chosen, bool (*fits)(const JournalState&));

/// Restores share a journal, a service and a database.
class RestoreLock {
public:
  /// Does not wait. Errors: busy (another restore or roll-back runs), those of open(2).
  [[nodiscard]] static Result<RestoreLock> acquire(const std::string& path = k_restore_lock);

private:
  explicit RestoreLock(Fd fd) : m_fd(std::move(fd)) {}

  Fd m_fd;
};

} // namespace rb::cluster

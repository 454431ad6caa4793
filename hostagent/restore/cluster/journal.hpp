// What a restore has done so far, on the disk before and after every step, so that it can be
// resumed or undone after a crash at any point. JSON, mode 0600; no secrets in it.
#pragma once

#include "restore/cluster/plan.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::cluster {

enum class Phase {
  restoring,
  done,
  rolling_back,
  rolled_back, ///< The host is as it was.
};

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
  bool recorded = false; ///< What is below is.
  bool had_etcd = false;
  std::vector<std::string> old_databases; ///< Names of db/etcd-old-*.
  /// That of them all which the first reset moved aside: the database that was there before. Noted
  /// before anything is moved back. Empty: not moved, or not yet known.
  std::string original;
  std::vector<std::string> saved; ///< Names below server/ that are in saved/server.

  std::vector<PutBackFile> files;

  /// What the data directory held where there was no etcd in it (see names_before): what is new is
  /// taken away on the way back. Nothing: not known.
  std::optional<std::vector<std::string>> before;
  std::vector<std::string> made;   ///< Directories that were not there, the outer ones first.
  std::string saved_dir = "saved"; ///< Below the work directory; each restore has its own.
  /// The restore before this one where that can be undone; one at most. It is in force again when
  /// this one is undone, and forgotten when this one has succeeded.
  std::vector<JournalState> earlier;

  [[nodiscard]] std::string saved_path() const { return plan.work_dir() + "/" + saved_dir; }
  [[nodiscard]] bool is_complete(Step step) const;
};

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

private:
  std::string m_work_dir;
};

} // namespace rb::cluster

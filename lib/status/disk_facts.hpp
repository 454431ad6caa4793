// Reads off a backup directory what an operator and an alert want to know of it.
#pragma once

#include "set/backup_log.hpp"
#include "set/marks.hpp"
#include "set/sets.hpp"
#include "sign/minisign.hpp"

#include "api/backup_status.hpp"

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace rb::status {

/// What is in the directory, before it is judged. A plain value: tests write it down.
struct DiskView {
  std::vector<set::BackupSet> sets; ///< Newest first, as list_sets gives them.
  Space space;
  std::optional<set::LogLine> last_attempt; ///< The last "backup" line of backup.log.
  std::optional<set::LastDrill> last_drill;
  std::optional<set::LastVerify> last_verify;
  std::optional<set::LastRestore> last_restore;
  /// Sets, and files beside them, that are not what the host made; 0 where its key is not known.
  std::int64_t untrusted_sets = 0;
  std::int64_t untrusted_files = 0;
  /// Whom .sops.yaml names now; empty: not known.
  std::vector<std::string> present_recipients;
  /// Run ids of which files lie there that a rewrap could not remove.
  std::set<std::string> with_older_files;
};

/// Pure. A set that is damaged proves nothing; an artifact of an incomplete set was verified, too.
[[nodiscard]] api::NodeFacts facts_of(const DiskView& view, SystemTime now);

/// `keys` are known from outside of the directory. A marker that cannot be read counts as one that
/// is not there. Errors: those of Fs.
[[nodiscard]] Result<DiskView> view_disk(set::Directory& directory,
                                         std::span<const sign::PublicKey> keys);

/// view_disk of the directory at `path`, judged. Who it is about is for the caller to fill in.
/// `present_recipients` as in DiskView. Errors: those of Directory::open_existing and Fs.
[[nodiscard]] Result<api::NodeFacts> read_facts(const std::string& path,
                                                SystemTime now,
                                                std::span<const sign::PublicKey> keys,
                                                std::vector<std::string> present_recipients = {});

} // namespace rb::status

// Keeps the off-site place up with the backup directory: decides from the disk what is missing
// there, sends it, compares, remembers, and waits longer after each failure. It never changes a
// set on the disk, and no outcome of it is one of a backup.
#pragma once

#include "offsite/copy_set.hpp"
#include "offsite/decide.hpp"
#include "sign/minisign.hpp"

#include <functional>
#include <map>

namespace rb::offsite {

/// What is known of one complete set on the disk.
struct SetView {
  std::string cluster_backup_uid; ///< As in its manifest; may be empty.
  bool replicated = false;
  std::string damaged{}; ///< Why it is left out; empty: it is not.
                         ///< NOLINT(readability-redundant-member-init)
  /// Not sent: retention over there keeps newer ones, of another server.
  bool outdated = false;
};

/// For conditions, metrics and logs. A plain value.
struct View {
  std::string remote;
  std::map<std::string, SetView> sets; ///< Complete ones, by run id.
  std::optional<Trouble> trouble;      ///< Of the last attempt.
  unsigned failures = 0;
  SystemTime last_success{}; ///< Of the last attempt that left nothing to do; or 0.

  /// Neither there nor left out.
  [[nodiscard]] std::size_t pending() const;
  [[nodiscard]] std::size_t replicated() const;
  [[nodiscard]] std::size_t damaged() const;
};

using OpenDirectory = std::function<Result<set::Directory>(const std::string&)>;

struct ReplicatorSettings {
  std::string backup_dir; ///< Only read.
  std::string state_dir;  ///< Made where it is missing; never the backup directory.
  /// The file with the host's public key, from outside of the backup directory. Until it is there
  /// the kit is not copied, and no set is judged.
  std::string public_key_file;
  unsigned keep_last = 0; ///< Sets that stay over there; 0: all.
  Schedule schedule;
};

/// Used by one thread at a time.
class Replicator {
public:
  using OnChange = std::function<void(const View&)>;

  /// `remote` and `clock` outlive it.
  Replicator(ReplicatorSettings settings,
             RemoteStore& remote,
             const Clock& clock,
             OpenDirectory open_directory = set::Directory::open_existing);

  /// Looks at the disk, and does what is due. `on_change` is told after each set. Returns how
  /// things are afterwards. Errors: those of reading the disk; failures of the remote are in View.
  [[nodiscard]] Result<View> visit(std::stop_token stop, const OnChange& on_change);

  /// What the look at the disk took, of the last visit.
  [[nodiscard]] std::chrono::steady_clock::duration look_took() const { return m_look_took; }

private:
  const ReplicatorSettings m_settings;
  RemoteStore& m_remote;
  const Clock& m_clock;
  const OpenDirectory m_open_directory;
  SystemTime m_last_success{};
  std::chrono::steady_clock::duration m_look_took{0};
};

} // namespace rb::offsite

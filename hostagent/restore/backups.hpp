// The backup directory as a command works on it: its sets, which one is meant, and whose signatures
// count (trust.cpp). On the host that made the sets that answer is outside of the backup directory;
// on a bare machine the operator must have brought it along. And an off-site copy, as list and
// fetch use it.
#pragma once

#include "offsite/rclone.hpp"
#include "restore/cluster/facts.hpp"
#include "restore/io.hpp"
#include "restore/keys.hpp"
#include "restore/options.hpp"
#include "set/catalogue.hpp"
#include "set/set_check.hpp"
#include "set/sets.hpp"
#include "set/signed_files.hpp"

#include "base/error.hpp"
#include "base/process.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rb::restore {

enum class TrustSource {
  pinned,    ///< --public-key, or a line of the identity file: the operator's own word.
  host,      ///< The key of this host, which only root can change.
  directory, ///< railiance-backup.pub beside the sets: first use, it proves nothing by itself.
  none,
};

/// The keys that count, and what they make of the sets of a directory.
struct Catalogue {
  std::vector<sign::PublicKey> keys;
  TrustSource source = TrustSource::none;
  /// The other servers of the cluster, by the newest set of `keys`; empty where these are not known
  /// from outside, or --public-key names them: then no other key counts.
  std::vector<set::PeerKey> peers;
  std::map<std::string, set::SetProvenance> sets;
  std::vector<set::SignedFile> files; ///< Program, guide and stamp beside the sets.

  /// Nobody who can only write to the directory had a hand in the choice of the keys.
  [[nodiscard]] bool known_from_outside() const {
    return source == TrustSource::pinned || source == TrustSource::host;
  }
  /// The first of `files` that somebody had a hand in; null: there is none.
  [[nodiscard]] const set::SignedFile* tampered_file() const;
  [[nodiscard]] set::SetProvenance of(const std::string& run_id) const;
  /// "good"; "good, of cp-1" of another server; "first use" where nothing but the directory itself
  /// vouches for the key.
  [[nodiscard]] std::string word_for(const std::string& run_id) const;
  /// `keys` and those of `peers`.
  [[nodiscard]] std::vector<sign::PublicKey> all_keys() const;
};

/// With --public-key (`public_keys`: files, or the keys themselves) only those keys count. Else,
/// together: lines "# railiance-backup public key: RW…" of the identity files (`pins`), and the key
/// of this host; only where there is neither, the one beside the sets. What pins and this host's
/// key vouch for names the keys of the other servers: the newest set, here or in this host's own
/// directory, whichever is newer. Errors: invalid_argument
/// (what --public-key gives is no key), those of the system (a key is there and cannot be read).
[[nodiscard]] Result<Catalogue> catalogue_of(set::Directory& directory,
                                             const std::vector<set::BackupSet>& sets,
                                             const std::vector<std::string>& public_keys,
                                             const std::vector<Pin>& pins,
                                             const Io& io);

/// Says on io.err that the key is taken on first use, where one of the sets rests on it.
void warn_of_first_use(const Catalogue& catalogue, const Io& io);

/// Says which of the files beside the sets are not what this host put there. The sets are judged
/// for themselves, so nothing ends by it but what it says to run or to follow.
void tell_of_files(const Catalogue& catalogue, std::ostream& stream);

/// Adds the verdict to a report: its word, and exit code 6 for tampering. `allow_unsigned`: a set
/// that was never signed is taken, and the report says so.
void add_provenance(set::SetReport& report, const Catalogue& catalogue, bool allow_unsigned);

[[nodiscard]] nlohmann::ordered_json to_json(const Catalogue& catalogue, const std::string& run_id);

/// One object a file that is there: name, verdict, tampering, message.
[[nodiscard]] nlohmann::ordered_json files_to_json(const Catalogue& catalogue);

/// For the checks that come before a restore.
[[nodiscard]] cluster::SignatureFact fact_of(const Catalogue& catalogue, const std::string& run_id);

/// Says why a set is not taken for its signature, or warns; the exit code where it is refused.
[[nodiscard]] std::optional<int> refused_by_signature(const Catalogue& catalogue,
                                                      const std::string& run_id,
                                                      bool allow_unsigned,
                                                      const Io& io);

struct Backups {
  set::Directory directory;
  std::vector<set::BackupSet> sets; ///< The newest first.
  Catalogue catalogue;
};

/// The backup directory, for reading. Errors: not_found with a hint at --backup-dir,
/// permission_denied, io.
[[nodiscard]] Result<set::Directory> open_directory(const std::string& path);

/// Lists the sets of `directory` and judges whose they are. Errors: those of list_sets() and of
/// catalogue_of().
[[nodiscard]] Result<Backups> read_backups(set::Directory directory,
                                           const Options& options,
                                           const std::vector<Pin>& pins,
                                           const Io& io);

/// Both, for the directory of the options.
[[nodiscard]] Result<Backups>
open_backups(const Options& options, const std::vector<Pin>& pins, const Io& io);

/// Whether any of `sets` was made for one of `keys`. Where none was, the keys are of something
/// else, and that they open none says nothing of the sets.
[[nodiscard]] bool are_of_sets(const Keys& keys, const std::vector<set::BackupSet>& sets);

/// check_set of that set, which is one of `backups`. Where it was given new recipients meanwhile,
/// the directory is read anew, and the set is checked as it is now: nothing that was exchanged is
/// called damaged, and what is checked was judged. Nothing: it was removed meanwhile, as retention
/// does it; `backups` is then of after that, so that the others are judged by what they say of it.
[[nodiscard]] std::optional<set::SetReport> check_current(Backups& backups,
                                                          const std::string& run_id,
                                                          const Keys& keys,
                                                          const set::CheckHooks& hooks,
                                                          const Options& options,
                                                          const Io& io);

/// Said of a set that check_current() did not find any more.
[[nodiscard]] std::string removed_meanwhile(const std::string& run_id);

/// The set named `name`: a run id, or "latest" as choose_latest has it. Where there is no latest:
/// the newest that has `wanted`, else the newest, so that a command can say what is wrong with it.
/// Null: there is none.
[[nodiscard]] set::Latest find_set(const std::vector<set::BackupSet>& sets,
                                   const std::string& name,
                                   std::optional<api::ArtifactType> wanted = std::nullopt);

/// The same for those who look for damage: of the sets that "latest" passes over the newest damaged
/// one comes first.
[[nodiscard]] set::Latest find_set_to_check(const std::vector<set::BackupSet>& sets,
                                            const std::string& name);

/// find_set(), and where there is none an error: not_found. What it points to is in `backups`.
[[nodiscard]] Result<set::Latest>
choose_set(const Backups& backups,
           const std::string& name,
           std::optional<api::ArtifactType> wanted = std::nullopt);

/// No set at all, or not the one that was named.
[[nodiscard]] Error nothing_to_restore(const std::string& path, const std::string& name);

/// "passing over RUN: why", for each.
void say_passed_over(const set::Latest& latest, const Io& io);

/// A warning, where there are sets of a remote that were not looked at (offsite::read_remote).
void warn_of_left_out(std::size_t sets, const Io& io);

/// For what the functions above failed with: what is not there is nothing to restore, and a
/// --public-key that is no key is a wrong use.
[[nodiscard]] ExitCode exit_code_of_opening(const Error& error);
/// Says it; returns that exit code.
int fail_to_open(const Io& io, const Error& error);

/// Of "NAME=value" what rclone gets to see: where its configuration, remotes, keys and proxies are,
/// so that it finds what it finds for the operator. Nothing that changes what it copies, or where
/// its words go (RCLONE_DRY_RUN, RCLONE_LOG_FILE), and nothing else.
[[nodiscard]] std::map<std::string, std::string>
rclone_environment(const std::vector<std::string>& all);

struct RemoteHandle {
  explicit RemoteHandle(offsite::RcloneSettings settings) : store(processes, std::move(settings)) {}

  RealProcessRunner processes;
  offsite::RcloneStore store;
};

/// The remote of the options. Errors: not_found (rclone), invalid_argument.
[[nodiscard]] Result<std::unique_ptr<RemoteHandle>> open_store(const RemoteOptions& options,
                                                               const Io& io);

} // namespace rb::restore

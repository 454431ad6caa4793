// Whose signatures count, and what that means for a set. On the host that made the sets the answer
// is outside of the backup directory; on a bare machine the operator must have brought it along.
#pragma once

#include "restore/cluster/facts.hpp"
#include "restore/io.hpp"
#include "restore/keys.hpp"
#include "set/catalogue.hpp"
#include "set/set_check.hpp"
#include "set/signed_files.hpp"

#include "base/error.hpp"

#include <nlohmann/json.hpp>

#include <map>
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
  std::map<std::string, set::SetProvenance> sets;
  std::vector<set::SignedFile> files; ///< Program, guide and stamp beside the sets.

  /// Nobody who can only write to the directory had a hand in the choice of the keys.
  [[nodiscard]] bool known_from_outside() const {
    return source == TrustSource::pinned || source == TrustSource::host;
  }
  /// The first of `files` that somebody had a hand in; null: there is none.
  [[nodiscard]] const set::SignedFile* tampered_file() const;
  [[nodiscard]] set::SetProvenance of(const std::string& run_id) const;
  /// "good"; "first use" where nothing but the directory itself vouches for the key.
  [[nodiscard]] std::string word_for(const std::string& run_id) const;
};

/// With --public-key (`public_keys`: files, or the keys themselves) only those keys count. Else,
/// together: lines "# railiance-backup public key: RW…" of the identity files (`pins`), and the key
/// of this host; only where there is neither, the one beside the sets. Errors: invalid_argument
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

} // namespace rb::restore

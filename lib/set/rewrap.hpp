// New recipients for a set that is there, without opening it: in each artifact the header alone
// changes (age::rewrap), and a new signed manifest says so. The set gets a new generation, whose
// files lie beside those of the old one. The name of its manifest is the one step that makes it
// count; before that the old set is whole, after it the new one. docs/decisions/0029.
#pragma once

#include "set/set_check.hpp"
#include "sign/signing_key.hpp"

#include "age/identity.hpp"
#include "base/clock.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rb::set {

struct RewrapOrder {
  std::vector<age::Recipient> recipients; ///< Who opens the set from then on, and nobody else.
  std::string recipient_rule;             ///< As Manifest has it.
  /// The set was never signed, or with a key that the host had before, and the host is to vouch for
  /// it.
  bool adopt = false;
};

struct Rewrapped {
  Manifest manifest; ///< The one that counts now.
  /// Why the old generation is there still, or stamp and guide speak of it. The set is whole; the
  /// next run or rewrap ends it.
  std::optional<Error> unfinished;
};

/// The first of `identities` that opens every artifact, by the headers alone. Null: there is none.
[[nodiscard]] const age::Identity* opener_of(Directory& directory,
                                             const Manifest& manifest,
                                             std::span<const age::Identity> identities);

/// What rewrap_set would refuse, as far as manifest, headers and free space tell it; nothing is
/// written. `own` is the key that would sign; null: not asked for. Errors: those of rewrap_set.
[[nodiscard]] Status check_rewrap(Directory& directory,
                                  const BackupSet& set,
                                  std::span<const age::Identity> identities,
                                  const RewrapOrder& order,
                                  const sign::PublicKey* own);

/// Makes the next generation of `set` (of list_sets, just now) and removes the old one. Each
/// artifact is read once and copied; what was written is read back, and its payload must be that of
/// the old manifest, which the caller has judged (set/rewrap_proof.hpp). Call it under the
/// directory's lock, after finish_rewraps. After an error the set is as it was. Errors: incomplete
/// (no manifest), unsupported (files of a newer release, another host's signature), corrupt (a file
/// is not what the manifest says, or gone), no_matching_identity, no_space, cancelled,
/// invalid_argument (the recipients), those of Fs.
[[nodiscard]] Result<Rewrapped> rewrap_set(Directory& directory,
                                           const BackupSet& set,
                                           std::span<const age::Identity> identities,
                                           const RewrapOrder& order,
                                           const sign::SigningKey& key,
                                           SystemTime now,
                                           const CheckHooks& hooks = {});

/// Ends what rewraps began that a crash or an error cut off: a generation that has no manifest
/// goes; where a newer one counts that `key` signed, stamp and guide follow it and the older one
/// goes. A damaged set keeps all it has. Call it under the directory's lock. Errors: those of Fs,
/// of the first set that could not be ended; it keeps no other from being ended.
[[nodiscard]] Status finish_rewraps(Directory& directory, const sign::SigningKey& key);

} // namespace rb::set

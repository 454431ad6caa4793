// The signed catalogue: whether the sets of a directory are those that this host made, none
// changed, none taken away. age files have no sender; the host's signature under each manifest is
// one. Pure. The rules: docs/artifact-format.md, "The signed catalogue".
// Where sets of several servers lie together, each set is judged among those of its host only: what
// one host removed or made says nothing of another one's.
#pragma once

#include "set/sets.hpp"
#include "sign/minisign.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rb::set {

enum class Provenance {
  genuine,         ///< Signed by a trusted key, and its place in the chain is right.
  no_manifest,     ///< The run was cut off: nothing to sign.
  unproven,        ///< Signed, and no key is known to check it with.
  unsigned_before, ///< Made before this host signed.
  /// Not signed, though the host's key is known from outside of the directory: stripped, or made
  /// before this host signed. Which of both, nobody can tell.
  unsigned_known,
  unsigned_after,    ///< Not signed, though sets before it are: not made by this host's agent.
  signature_missing, ///< The manifest says that it is signed; the signature was taken away.
  tampered,          ///< The signature is not that of this manifest.
  other_key,         ///< Signed by a key that is not trusted.
  removed_before,    ///< Genuine; a set before it was taken away, and not by retention.
  swapped, ///< Not the manifest that was here when the next one was made: put in its place.
};

/// "good", "no manifest", "not proven", "unsigned", "not signed", "planted", "signature missing",
/// "tampered", "other key", "gap before", "swapped".
[[nodiscard]] std::string_view to_string(Provenance verdict);

/// Somebody had a hand in this set: exit code 6. Not where another one was taken away: that is said
/// and counted, and makes no damaged set of its neighbour.
[[nodiscard]] bool is_tampering(Provenance verdict);

/// The set is what the host made, whatever became of the one before it.
[[nodiscard]] bool is_of_host(Provenance verdict);

struct SetProvenance {
  Provenance verdict = Provenance::no_manifest;
  std::string key_id;  ///< Of the key that the signature names; empty: none.
  std::string message; ///< For people; empty when genuine.
  /// The other server whose key signed it, and the set that names that key; empty: a trusted key.
  std::string peer{};
  std::string named_by{};
};

/// The key of another server of the cluster, known by a set of a trusted key.
struct PeerKey {
  sign::PublicKey key;
  std::string node_name;
  std::string named_by; ///< The run id of that set.

  bool operator==(const PeerKey&) const = default;
};

/// Where the trusted keys come from.
enum class KeyOrigin {
  directory, ///< The backup directory itself, whose writers can put any key there.
  outside,   ///< The operator, or a place of the host that only root can change.
};

/// By run id, one for each set. `sets` in any order. Where the keys are known from outside of the
/// directory, a set without a signature is not taken on trust.
[[nodiscard]] std::map<std::string, SetProvenance>
judge_catalogue(const std::vector<BackupSet>& sets,
                std::span<const sign::PublicKey> trusted,
                KeyOrigin origin = KeyOrigin::directory,
                std::span<const PeerKey> peers = {});

/// The keys of the other servers, as the newest of `sets` names them that one of `trusted` signed.
/// Nothing in a set that no trusted key signed counts, nor one that the host vouched for later
/// without having made it: who can write to the directory gets no key trusted. A server that the
/// newest set names no more is no peer.
[[nodiscard]] std::vector<PeerKey> peers_named(const std::vector<BackupSet>& sets,
                                               std::span<const sign::PublicKey> trusted);

/// What the next manifest says of those before it.
struct ChainEnd {
  std::optional<ManifestLink> previous;
  std::vector<ManifestLink> catalogue; ///< Oldest first.
};

/// `sets` are there now, without the run's own; `removals` (run ids) go after the run. What
/// signatures of another key than `own` say counts for nothing, but where there is no set of `own`
/// yet the newest manifest is linked to, whoever made it.
[[nodiscard]] ChainEnd chain_end(const std::vector<BackupSet>& sets,
                                 const std::vector<std::string>& removals,
                                 const sign::PublicKey& own);

} // namespace rb::set

#include "set/catalogue.hpp"

#include "set/missing_sets.hpp"
#include "sign/minisign.hpp"

#include <algorithm>
#include <set>

namespace rb::set {

namespace {

bool is_of(const BackupSet& set, const sign::PublicKey& key) {
  if (!set.manifest || !set.manifest_digests || !set.signature) {
    return false;
  }
  const auto signature = sign::parse_signature(*set.signature);
  return signature && sign::verifies(*signature, set.manifest_digests->blake2b, key);
}

/// A link of the chain. A set that the host came to vouch for when it was rewrapped is none: it was
/// made before the chain, or beside it.
bool is_link(const BackupSet& set) {
  return set.manifest && !(set.manifest->rewrap && set.manifest->rewrap->adopted);
}

/// The newest of those that no other one follows: a clock that goes back must not make two
/// manifests follow the same one.
const BackupSet* last_of(const std::vector<const BackupSet*>& sets) {
  std::set<std::string> followed;
  for (const BackupSet* const set : sets) {
    if (set->manifest && set->manifest->previous) {
      followed.insert(set->manifest->previous->run_id);
    }
  }
  const BackupSet* last = nullptr;
  for (const BackupSet* const set : sets) {
    if (!followed.contains(set->run_id) && (last == nullptr || last->run_id < set->run_id)) {
      last = set;
    }
  }
  return last;
}

constexpr const char* k_not_its_signature = "the signature is not that of this manifest";

/// What the signature alone says; the chain comes after it.
SetProvenance judge_signature(const BackupSet& set, std::span<const sign::PublicKey> trusted) {
  if (!set.manifest_digests) {
    return {Provenance::no_manifest, {}, {}};
  }
  if (!set.signature) {
    const bool claims = set.manifest && !set.manifest->signed_by.empty();
    return claims ? SetProvenance{Provenance::signature_missing,
                                  set.manifest->signed_by,
                                  "its signature was taken away"}
                  : SetProvenance{Provenance::unsigned_before, {}, "made before this host signed"};
  }
  const auto signature = sign::parse_signature(*set.signature);
  if (!signature) {
    return {Provenance::tampered, {}, signature.error().message};
  }
  const std::string key_id = sign::to_string(signature->key_id);
  if (trusted.empty()) {
    return {Provenance::unproven, key_id, "no public key is known to check it with"};
  }
  const bool holds = std::ranges::any_of(trusted, [&](const sign::PublicKey& key) {
    return sign::verifies(*signature, set.manifest_digests->blake2b, key);
  });
  if (holds) {
    return {Provenance::genuine, key_id, {}};
  }
  const bool ours = std::ranges::any_of(
      trusted, [&](const sign::PublicKey& key) { return key.id() == signature->key_id; });
  return ours ? SetProvenance{Provenance::tampered, key_id, k_not_its_signature}
              : SetProvenance{Provenance::other_key, key_id, "signed by another key: " + key_id};
}

/// The same, where a key of another server may have signed it.
SetProvenance judge_signature(const BackupSet& set,
                              std::span<const sign::PublicKey> trusted,
                              std::span<const PeerKey> peers) {
  SetProvenance verdict = judge_signature(set, trusted);
  if (verdict.verdict != Provenance::tampered && verdict.verdict != Provenance::other_key) {
    return verdict;
  }
  for (const PeerKey& peer : peers) {
    if (is_of(set, peer.key)) {
      return {
          Provenance::genuine, sign::to_string(peer.key.id()), {}, peer.node_name, peer.named_by};
    }
    if (verdict.key_id == sign::to_string(peer.key.id())) {
      verdict.verdict = Provenance::tampered;
      verdict.message = k_not_its_signature;
    }
  }
  return verdict;
}

/// Which host made each genuine set, as a number, by run id. Sets of trusted keys are of one host
/// where they have the key or the name of the node in common: a host may get a new key, or a name.
std::map<std::string, std::size_t> hosts_of(const std::vector<BackupSet>& sets,
                                            const std::map<std::string, SetProvenance>& verdicts) {
  std::map<std::string, std::size_t> hosts;
  std::map<std::string, std::size_t> keys;
  std::map<std::string, std::size_t> names;
  for (const BackupSet& set : sets) {
    const SetProvenance& made = verdicts.at(set.run_id);
    if (made.verdict != Provenance::genuine || !set.manifest) {
      continue;
    }
    const bool of_peer = !made.peer.empty();
    const std::string key = (of_peer ? "peer " : "") + made.key_id;
    const std::size_t host = keys.try_emplace(key, keys.size()).first->second;
    hosts[set.run_id] = host;
    if (of_peer) { // what a peer calls itself joins it to nobody
      continue;
    }
    const std::size_t same = names.try_emplace(set.manifest->node_name, host).first->second;
    for (auto* const known : {&hosts, &keys, &names}) {
      for (auto& [name, number] : *known) {
        number = number == same ? host : number;
      }
    }
  }
  return hosts;
}

/// The sets of one host.
class Chain {
public:
  Chain(const std::vector<BackupSet>& sets,
        const std::map<std::string, std::size_t>& hosts,
        std::size_t host,
        std::map<std::string, SetProvenance>& verdicts)
      : m_verdicts(verdicts) {
    for (const BackupSet& set : sets) {
      const auto made_by = hosts.find(set.run_id);
      if (made_by != hosts.end() && made_by->second != host) {
        continue;
      }
      if (set.manifest_digests) {
        m_digests[set.run_id] = set.manifest_digests->sha256;
      }
      if (made_by == hosts.end()) {
        continue;
      }
      if (set.manifest->rewrap) {
        m_replaced[set.run_id] = set.manifest->rewrap->replaces;
      }
      if (is_link(set)) {
        m_signed.push_back(&set);
      }
    }
    std::ranges::sort(m_signed, {}, &BackupSet::run_id);
  }

  void judge() {
    if (m_signed.empty()) {
      return;
    }
    find_missing();
    for (const BackupSet* const set : m_signed) {
      if (set->manifest->previous) {
        compare(*set, *set->manifest->previous);
      }
      for (const ManifestLink& link : set->manifest->catalogue) {
        compare(*set, link);
      }
    }
  }

private:
  /// The gap shows at the set that comes after it.
  void find_missing() {
    std::set<std::string> present;
    for (const auto& [run_id, digest] : m_digests) {
      present.insert(run_id);
    }
    for (const MissingSet& missing : missing_sets(m_signed, present)) {
      const auto after = std::ranges::find_if(
          m_signed, [&](const BackupSet* set) { return set->run_id > missing.link.run_id; });
      SetProvenance& shown =
          m_verdicts.at(after == m_signed.end() ? missing.asker : (*after)->run_id);
      shown.verdict = Provenance::removed_before;
      shown.message = "set " + missing.link.run_id + " was taken away, and not by retention";
    }
  }

  /// A manifest must still be the one that a later manifest saw, or one that the host put in its
  /// place.
  void compare(const BackupSet& set, const ManifestLink& link) {
    const auto found = m_digests.find(link.run_id);
    const auto replaced = m_replaced.find(link.run_id);
    const bool in_its_place =
        replaced != m_replaced.end() &&
        std::ranges::find(replaced->second, link.sha256) != replaced->second.end();
    if (found == m_digests.end() || found->second == link.sha256 || in_its_place) {
      return;
    }
    SetProvenance& other = m_verdicts.at(link.run_id);
    if (!is_tampering(other.verdict)) {
      other.verdict = Provenance::swapped;
      other.message = "not the manifest that was here when " + set.run_id + " was made";
    }
  }

  std::map<std::string, SetProvenance>& m_verdicts;
  std::map<std::string, std::string> m_digests; ///< Of the manifests that are there, by run id.
  /// What genuine manifests stand in the place of, by run id.
  std::map<std::string, std::vector<std::string>> m_replaced;
  std::vector<const BackupSet*> m_signed; ///< Oldest first.
};

/// Unsigned, though a host whose sets these are signed before.
void find_planted(const std::vector<BackupSet>& sets,
                  const std::map<std::string, std::size_t>& hosts,
                  std::map<std::string, SetProvenance>& verdicts) {
  std::string first;
  for (const BackupSet& set : sets) {
    if (hosts.contains(set.run_id) && is_link(set) && (first.empty() || set.run_id < first)) {
      first = set.run_id;
    }
  }
  for (auto& [run_id, verdict] : verdicts) {
    if (verdict.verdict == Provenance::unsigned_before && !first.empty() && run_id > first) {
      verdict.verdict = Provenance::unsigned_after;
      verdict.message = "not signed, though this host signs since " + first;
    }
  }
}

} // namespace

std::string_view to_string(Provenance verdict) {
  switch (verdict) {
  case Provenance::genuine:
    return "good";
  case Provenance::no_manifest:
    return "no manifest";
  case Provenance::unproven:
    return "not proven";
  case Provenance::unsigned_before:
    return "unsigned";
  case Provenance::unsigned_known:
    return "not signed";
  case Provenance::unsigned_after:
    return "planted";
  case Provenance::signature_missing:
    return "signature missing";
  case Provenance::tampered:
    return "tampered";
  case Provenance::other_key:
    return "other key";
  case Provenance::removed_before:
    return "gap before";
  case Provenance::swapped:
    return "swapped";
  }
  return "";
}

bool is_tampering(Provenance verdict) {
  switch (verdict) {
  case Provenance::genuine:
  case Provenance::no_manifest:
  case Provenance::unproven:
  case Provenance::unsigned_before:
  case Provenance::removed_before:
    return false;
  case Provenance::unsigned_known:
  case Provenance::unsigned_after:
  case Provenance::signature_missing:
  case Provenance::tampered:
  case Provenance::other_key:
  case Provenance::swapped:
    return true;
  }
  return true;
}

bool is_of_host(Provenance verdict) {
  return verdict == Provenance::genuine || verdict == Provenance::removed_before;
}

std::map<std::string, SetProvenance> judge_catalogue(const std::vector<BackupSet>& sets,
                                                     std::span<const sign::PublicKey> trusted,
                                                     KeyOrigin origin,
                                                     std::span<const PeerKey> peers) {
  std::map<std::string, SetProvenance> verdicts;
  for (const BackupSet& set : sets) {
    verdicts[set.run_id] = judge_signature(set, trusted, peers);
  }
  const std::map<std::string, std::size_t> hosts = hosts_of(sets, verdicts);
  std::set<std::size_t> numbers;
  for (const auto& [run_id, number] : hosts) {
    numbers.insert(number);
  }
  for (const std::size_t number : numbers) {
    Chain(sets, hosts, number, verdicts).judge();
  }
  find_planted(sets, hosts, verdicts);
  for (auto& [run_id, verdict] : verdicts) {
    if (origin == KeyOrigin::outside && verdict.verdict == Provenance::unsigned_before) {
      verdict.verdict = Provenance::unsigned_known;
      verdict.message = "not signed, though the host's key is known: its signature was taken away, "
                        "or it was made before this host signed";
    }
  }
  return verdicts;
}

std::vector<PeerKey> peers_named(const std::vector<BackupSet>& sets,
                                 std::span<const sign::PublicKey> trusted) {
  const BackupSet* newest = nullptr;
  for (const BackupSet& set : sets) {
    const bool ours = is_link(set) && std::ranges::any_of(trusted, [&](const auto& key) {
                        return is_of(set, key);
                      });
    if (ours && (newest == nullptr || newest->run_id < set.run_id)) {
      newest = &set;
    }
  }
  std::vector<PeerKey> peers;
  if (newest == nullptr) {
    return peers;
  }
  for (const api::ServerEntry& server : newest->manifest->servers) {
    const auto key = sign::PublicKey::parse(server.public_key);
    if (key && std::ranges::find(trusted, *key) == trusted.end()) {
      peers.push_back({*key, server.node_name, newest->run_id});
    }
  }
  return peers;
}

ChainEnd chain_end(const std::vector<BackupSet>& sets,
                   const std::vector<std::string>& removals,
                   const sign::PublicKey& own) {
  std::vector<const BackupSet*> ours;
  std::vector<const BackupSet*> any;
  std::set<std::string> present;
  for (const BackupSet& set : sets) {
    if (set.manifest_digests) {
      any.push_back(&set);
      present.insert(set.run_id);
    }
    if (is_link(set) && is_of(set, own)) {
      ours.push_back(&set);
    }
  }
  ChainEnd end;
  const auto& known = ours.empty() ? any : ours;
  if (const BackupSet* const last = last_of(known)) {
    end.previous = ManifestLink{last->run_id, last->manifest_digests->sha256};
  }
  for (const BackupSet* const set : known) {
    if (std::ranges::find(removals, set->run_id) == removals.end()) {
      end.catalogue.push_back({set->run_id, set->manifest_digests->sha256});
    }
  }
  // What somebody took away goes on being missed.
  for (MissingSet& missing : missing_sets(ours, present)) {
    end.catalogue.push_back(std::move(missing.link));
  }
  std::ranges::sort(end.catalogue, {}, &ManifestLink::run_id);
  return end;
}

} // namespace rb::set

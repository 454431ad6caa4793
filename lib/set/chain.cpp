// Where the next manifest of a chain goes, and which sets should be there and are not.
#include "set/chain.hpp"

#include "set/catalogue.hpp"
#include "sign/minisign.hpp"

#include <algorithm>

namespace rb::set {

namespace {

bool names(const BackupSet& set, const std::string& run_id) {
  const auto& catalogue = set.manifest->catalogue;
  return std::ranges::find(catalogue, run_id, &ManifestLink::run_id) != catalogue.end();
}

bool saw(const BackupSet& set, const std::string& run_id) {
  const auto& previous = set.manifest->previous;
  return names(set, run_id) || (previous && previous->run_id == run_id);
}

/// Run ids come from a clock that may go back; what a manifest saw comes from the disk.
bool is_after(const BackupSet& set, const BackupSet& other) {
  return saw(set, other.run_id) || (set.run_id > other.run_id && !saw(other, set.run_id));
}

bool is_of(const BackupSet& set, const sign::PublicKey& key) {
  if (!set.manifest || !set.manifest_digests || !set.signature) {
    return false;
  }
  const auto signature = sign::parse_signature(*set.signature);
  return signature && sign::verifies(*signature, set.manifest_digests->blake2b, key);
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

} // namespace

std::vector<MissingSet> missing_sets(const std::vector<const BackupSet*>& signed_sets,
                                     const std::set<std::string>& present) {
  std::vector<MissingSet> missing;
  std::set<std::string> known;
  const auto oldest = std::ranges::min_element(signed_sets, {}, &BackupSet::run_id);
  for (const BackupSet* const set : signed_sets) {
    for (const ManifestLink& link : set->manifest->catalogue) {
      const bool here = present.contains(link.run_id) || link.run_id < (*oldest)->run_id;
      const bool removed = !here && std::ranges::any_of(signed_sets, [&](const BackupSet* other) {
        return other != set && is_after(*other, *set) && !names(*other, link.run_id);
      });
      if (!here && !removed && known.insert(link.run_id).second) {
        missing.push_back({link, set->run_id});
      }
    }
  }
  return missing;
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
    if (is_of(set, own)) {
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

// What "latest" means, for every command and for retention: the newest set from which a cluster
// can be restored. Pure.
#pragma once

#include "set/sets.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace rb::set {

/// A whole cluster can be made from it: it has the datastore, and the host state with the server
/// token, without which nobody opens the datastore. What else is missing stops no restore.
[[nodiscard]] bool can_restore_cluster(const Manifest& manifest);
/// The same, and none of its files is missing or of another size.
[[nodiscard]] bool can_restore_cluster(const BackupSet& set);

struct PassedOver {
  const BackupSet* set = nullptr;
  std::string why; ///< "it has no etcd snapshot", "its proof failed: the scratch server: …"
};

struct Latest {
  const BackupSet* set = nullptr; ///< One of those given; null: no cluster can be restored.
  std::vector<PassedOver>
      passed_over; ///< Those that are newer, newest first; all where `set` is null.
};

/// What "latest" is, of `newest_first`; null: none. With `wanted`, only of those that have it.
[[nodiscard]] const BackupSet* latest_of(std::span<const BackupSet* const> newest_first,
                                         std::optional<api::ArtifactType> wanted = std::nullopt);

/// The newest set from which a cluster can be restored and from which no server failed to boot;
/// where all of them failed, the newest of them. With `wanted`, only of the sets that have that
/// artifact. `sets` newest first, as of list_sets. Signatures are judged apart from it: a set that
/// nobody vouches for is refused, not passed over, so that planting one can't choose another.
[[nodiscard]] Latest choose_latest(const std::vector<BackupSet>& sets,
                                   std::optional<api::ArtifactType> wanted = std::nullopt);

} // namespace rb::set

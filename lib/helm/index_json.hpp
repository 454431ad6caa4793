// index.json of the Helm artifact: what `helm upgrade --install` needs besides the values. Private
// to this room.
#pragma once

#include "api/backup_status.hpp"
#include "base/clock.hpp"
#include "helm/release.hpp"

#include <span>
#include <string>

namespace rb::helm {

struct IndexedRelease {
  const Release* release = nullptr;
  std::string file; ///< Path in the archive.
};

[[nodiscard]] std::string index_json(std::span<const IndexedRelease> releases,
                                     std::span<const api::UndecodableRelease> undecodable,
                                     SystemTime collected_at);

} // namespace rb::helm

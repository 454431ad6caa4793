// index.json of the Helm artifact, read. Pure.
#pragma once

#include "api/release_owner.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::unpack {

inline constexpr std::string_view k_helm_index_name = "index.json";

struct HelmRelease {
  std::string name_space;       ///< Where Helm keeps the release.
  std::string target_namespace; ///< Where its resources are; most often the same.
  std::string name;
  std::string chart_name;
  std::string chart_version; ///< May be empty.
  std::string status;        ///< "deployed", "uninstalled", …
  std::string file;          ///< Its values: a path in the archive.
  std::optional<api::ReleaseOwner> owner;
};

struct HelmIndex {
  std::vector<HelmRelease> releases;
  std::size_t undecodable = 0; ///< Releases that the backup could not read.
};

/// Errors: corrupt (not such an index; a name or path that no release of ours has), unsupported
/// (another format).
[[nodiscard]] Result<HelmIndex> parse_helm_index(std::string_view json);

} // namespace rb::unpack

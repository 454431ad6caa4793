// index.json of the Helm artifact, read; and the commands that make the releases anew. Pure.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rb::unpack {

inline constexpr std::string_view k_helm_index_name = "index.json";

struct HelmRelease {
  std::string name_space;
  std::string name;
  std::string chart_name;
  std::string chart_version; ///< May be empty.
  std::string status;        ///< "deployed", "uninstalled", …
  std::string file;          ///< Its values: a path in the archive.
};

struct HelmIndex {
  std::vector<HelmRelease> releases;
  std::size_t undecodable = 0; ///< Releases that the backup could not read.
};

/// Errors: corrupt (not such an index; a name or path that no release of ours has), unsupported
/// (another format).
[[nodiscard]] Result<HelmIndex> parse_helm_index(std::string_view json);

/// "helm upgrade --install NAME CHART --namespace NS --create-namespace --version V -f FILE" for a
/// POSIX shell; the file lies in `directory`. CHART is the chart's name alone: a release does not
/// record its repository.
[[nodiscard]] std::string upgrade_command(const HelmRelease& release, const std::string& directory);

/// `word` as one word of a POSIX shell.
[[nodiscard]] std::string shell_word(std::string_view word);

} // namespace rb::unpack

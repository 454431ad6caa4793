// The sets as `restore` lists them: with what the key at hand opens.
#pragma once

#include "restore/io.hpp"
#include "set/directory.hpp"
#include "set/sets.hpp"

#include "age/identity.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <vector>

namespace rb::restore {

/// "yes", "no", "partly" (some of its artifacts), or "-" where there is no key or nothing to open.
/// Looks at the headers only.
[[nodiscard]] std::string opens(set::Directory& directory,
                                const set::BackupSet& set,
                                std::span<const age::Identity> identities);

struct ListedSet {
  const set::BackupSet* set;
  std::string opens;
  std::string signature; ///< The word for who made it.
};

[[nodiscard]] std::string table_of(const std::vector<ListedSet>& sets, SystemTime now);
[[nodiscard]] nlohmann::ordered_json json_of(const std::vector<ListedSet>& sets);

} // namespace rb::restore

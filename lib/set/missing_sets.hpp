// The gaps in a signed catalogue: sets that a manifest names, and that nobody removed lawfully.
#pragma once

#include "set/sets.hpp"

#include <set>
#include <string>
#include <vector>

namespace rb::set {

/// A set that a signed manifest names and that is not there, though nobody removed it lawfully.
struct MissingSet {
  ManifestLink link;
  std::string asker; ///< The run id of a manifest that names it.
};

/// `signed_sets` have manifests with a signature that holds; `present` are the run ids that have a
/// manifest. A set may be gone when a manifest made after the one that names it names it no more
/// (retention took it), or when it is older than all of `signed_sets` (it was never fetched), or
/// newer than all of them, which only a set can be that was made while the clock was ahead of those
/// that name it: it would be missed until that time has come. One entry a set.
[[nodiscard]] std::vector<MissingSet> missing_sets(const std::vector<const BackupSet*>& signed_sets,
                                                   const std::set<std::string>& present);

} // namespace rb::set

// How many objects of every kind a snapshot holds, and how many the server that was restored from
// it has.
#pragma once

#include "objects/contents.hpp"
#include "objects/resources.hpp"

#include "base/sleeper.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace rb::recover {

/// By the names that etcd has for kinds ("pods", "services/specs", "helm.cattle.io/helmcharts").
using ObjectCounts = std::map<std::string, std::uint64_t>;

/// Pure. Without the objects that go by themselves (transient.hpp).
[[nodiscard]] ObjectCounts stored_counts(const objects::Contents& contents);

struct ServedCounts {
  ObjectCounts counts; ///< Kinds that are not served, or refused, are not in it.
  std::map<std::string, std::string> refused; ///< Why, by kind.
};

/// Of the kinds of `wanted`, likewise without what goes by itself. Errors: those of list_objects()
/// but for refusals.
[[nodiscard]] Result<ServedCounts> served_counts(objects::ApiPort& api,
                                                 const std::vector<objects::Resource>& served,
                                                 const ObjectCounts& wanted,
                                                 Sleeper& sleeper);

struct CountComparison {
  std::vector<std::string> differences;   ///< Lines for people, of all kinds that differ.
  std::vector<std::string> missing_kinds; ///< Fewer than expected, of a kind that nobody but the
                                          ///< operator removes.
};

/// Pure. Kinds that the server itself makes and removes (transient.hpp) may differ.
[[nodiscard]] CountComparison compare_counts(const ObjectCounts& expected,
                                             const ServedCounts& found);

} // namespace rb::recover

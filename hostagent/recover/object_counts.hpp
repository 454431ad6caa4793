// How many objects of every kind the API server has, by the names that etcd has for them, to be
// held against what a manifest counted.
#pragma once

#include "kinds/kinds.hpp"
#include "recover/readiness.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rb::recover {

using ObjectCounts = std::map<std::string, std::uint64_t>;

/// The path of the list of a kind, by the kind's key below /registry ("pods", "services/specs",
/// "helm.cattle.io/helmcharts"), from the output of `kubectl api-resources --verbs=list
/// --no-headers`. Several kinds of the API may stand for one key (events). Without those whose
/// objects are in no etcd of this server.
[[nodiscard]] std::map<std::string, std::string> list_paths(std::string_view api_resources,
                                                            const kinds::ApiServices& services);

/// Items and metadata.remainingItemCount of a list with limit=1 (or all). Errors: corrupt.
[[nodiscard]] Result<std::uint64_t> count_of_list(std::string_view json);

/// The kinds of `wanted` that the API knows. Errors: those of kubectl's call.
[[nodiscard]] Result<ObjectCounts>
count_objects(ProcessRunner& processes, const Kubectl& kubectl, const ObjectCounts& wanted);

struct CountComparison {
  std::vector<std::string> differences;   ///< Lines for people, of all kinds that differ.
  std::vector<std::string> missing_kinds; ///< Fewer than expected, of a kind that nobody but the
                                          ///< operator removes.
};

/// Pure. Kinds that the server itself makes and removes (events, leases, …) may differ.
[[nodiscard]] CountComparison compare_counts(const ObjectCounts& expected,
                                             const ObjectCounts& found);

} // namespace rb::recover

// Compares what a booted server serves with what the snapshot holds, object by object. Lists are
// asked for at the snapshot's own revision: what controllers change meanwhile doesn't count.
#pragma once

#include "objects/contents.hpp"
#include "objects/local_api.hpp"
#include "objects/served.hpp"

#include "base/clock.hpp"

#include <cstdint>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::proof {

inline constexpr std::size_t k_differences_shown = 20;

struct Comparison {
  std::uint64_t objects = 0; ///< Served, and in the snapshot with the same revision.
  std::map<std::string, std::uint64_t> kinds; ///< Objects by storage prefix, without empty ones.
  /// Objects of kinds that no API serves: of a definition that is gone, or of an API that this
  /// release has dropped. Not a difference.
  std::map<std::string, std::uint64_t> unserved;
  /// Objects that nobody can list without a webhook, a pod that does not run. Not a difference.
  std::map<std::string, std::uint64_t> unconverted;
  /// What is listed and does not answer, as of objects::discover(). Not a difference: of a
  /// definition that the snapshot has objects of, `differences` says so.
  std::vector<std::string> unanswered;
  std::uint64_t difference_count = 0;
  std::vector<std::string> differences; ///< The first of them: "pods/default/web: missing".
};

/// Waits until all custom resource definitions of the snapshot are served (at most `patience`), and
/// compares every object of every kind. Differences are a value.
/// Errors: those of ApiPort and discover(), cancelled.
[[nodiscard]] Result<Comparison> compare(objects::ApiPort& api,
                                         const objects::Contents& contents,
                                         Waiter& waiter,
                                         std::chrono::seconds patience,
                                         const std::stop_token& stop);

} // namespace rb::proof

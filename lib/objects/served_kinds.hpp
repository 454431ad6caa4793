// What an API server serves, once it serves all that a snapshot defines: custom resources come some
// moments after a server is ready.
#pragma once

#include "objects/contents.hpp"
#include "objects/resources.hpp"

#include "base/sleeper.hpp"

#include <set>

namespace rb::objects {

struct ServedKinds {
  std::vector<Resource> resources;
  /// Custom resource definitions ("widgets.example.com") of which the snapshot has objects, and
  /// which are not served.
  std::set<std::string> missing;
};

/// Asks until nothing is missing, at most for `patience`. Errors: those of discover(), cancelled.
[[nodiscard]] Result<ServedKinds> served_kinds(ApiPort& api,
                                               const Contents& contents,
                                               Sleeper& sleeper,
                                               std::chrono::seconds patience,
                                               const std::stop_token& stop);

} // namespace rb::objects

// What an API server serves, and where in etcd the objects of it lie.
#pragma once

#include "objects/api_port.hpp"

#include <string>
#include <vector>

namespace rb::objects {

struct Resource {
  std::string path;   ///< "/api/v1/pods", "/apis/apps/v1/deployments"
  std::string prefix; ///< Of its keys below /registry/: "pods", "services/specs"
};

/// Every kind that can be listed, each once, from discovery: the version that the server prefers.
/// What other servers answer for (aggregated APIs) is left out: its objects are not in this etcd.
/// Errors: those of ApiPort, unavailable (an answer that is no success), corrupt.
[[nodiscard]] Result<std::vector<Resource>> discover(ApiPort& api);

} // namespace rb::objects

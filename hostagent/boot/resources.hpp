// What the scratch server serves, and where in etcd the objects of it lie.
#pragma once

#include "boot/api_port.hpp"

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace rb::boot {

struct Resource {
  std::string path;   ///< "/api/v1/pods", "/apis/apps/v1/deployments"
  std::string prefix; ///< Of its keys below /registry/: "pods", "services/specs"
};

/// Below /registry/, as the API server places it (Kubernetes, DefaultStorageFactory): custom
/// resources under their group, built-in ones by their plural but for a few.
[[nodiscard]] std::string
storage_prefix(std::string_view group, std::string_view plural, bool is_custom);

/// Every kind that can be listed, each once, from discovery: the version that the server prefers.
/// `custom` are the names of the custom resource definitions ("plural.group"). What other servers
/// answer for (aggregated APIs) is left out: its objects are not in this etcd.
/// Errors: those of ApiPort, unavailable (an answer that is no success), corrupt.
[[nodiscard]] Result<std::vector<Resource>> discover(ApiPort& api,
                                                     const std::set<std::string>& custom);

} // namespace rb::boot

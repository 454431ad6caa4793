// One storage driver of Helm, as lists of the API: selectors, pages that adapt to the size of what
// is in them, single objects.
#pragma once

#include "helm/stored_release.hpp"
#include "kube/client.hpp"

#include <functional>
#include <stop_token>
#include <vector>

namespace rb::controller {

/// Which objects one driver keeps.
struct HelmStorage {
  helm::StorageKind kind{};
  kube::ResourceType type;
  kube::ListOptions all;            ///< Every revision.
  kube::ListOptions not_superseded; ///< Mostly the newest ones only.
};

[[nodiscard]] const HelmStorage& secret_storage();
[[nodiscard]] const HelmStorage& config_map_storage();

/// `object` may be a whole object or its metadata alone.
[[nodiscard]] helm::StoredRelease stored_release(helm::StorageKind kind,
                                                 const nlohmann::json& object);

/// The `release` key of an object's data, or null when there is none.
[[nodiscard]] std::string* release_data(nlohmann::json& object);

/// What every stored revision says of itself.
[[nodiscard]] Result<std::vector<helm::StoredRelease>>
list_metadata(kube::Client& client, const HelmStorage& storage, std::stop_token stop);

/// Whole objects that are not superseded, page by page; the size of the next page follows from
/// that of the last. `first` as in kube::Client::PageHandler. The sink may run on this thread only.
using ObjectSink = std::function<Status(nlohmann::json items, bool first)>;
[[nodiscard]] Status list_objects(kube::Client& client,
                                  const HelmStorage& storage,
                                  const ObjectSink& sink,
                                  std::stop_token stop);

} // namespace rb::controller

// Reads the newest revision of every Helm release of the cluster over the API: Secrets and
// ConfigMaps, page by page.
// Guarantees: a release that cannot be read or decoded is reported and hides no other; at most two
// pages of about 4 MiB and one release a worker are in memory besides the result, which is held to
// its budget.
#pragma once

#include "helm/artifact.hpp"
#include "kube/client.hpp"

#include <stop_token>
#include <vector>

namespace rb::controller {

using HelmInventory = helm::Inventory;

/// Metadata first, which tells the newest revisions; then their contents: by pages of what is not
/// superseded, and one by one where that missed some.
/// Errors: those of Client::list_page (nothing was listed; 403 and the like), cancelled.
[[nodiscard]] Result<HelmInventory>
read_helm_releases(kube::Client& client, std::stop_token stop, helm::Budget budget = {});

} // namespace rb::controller

// Which releases k3s installs by itself, from HelmCharts: its helm-controller marks neither a
// release nor the Secret that Helm keeps it in, so the HelmCharts are asked.
#pragma once

#include "helm/artifact.hpp"
#include "kube/client.hpp"

#include <stop_token>

namespace rb::controller {

/// Gives each release without an owner the HelmChart that installs it, where there is one. Asks
/// nothing where every release has an owner.
/// Where HelmCharts cannot be listed (no such kind here, a role of an older version), no release
/// gets one: they decide on words, never on what is kept.
void add_chart_owners(kube::Client& client, helm::Inventory& inventory, std::stop_token stop);

} // namespace rb::controller

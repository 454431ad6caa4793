// Which releases k3s installs by itself, from HelmCharts: its helm-controller marks neither a
// release nor the Secret that Helm keeps it in, so the HelmCharts are asked.
#pragma once

#include "helm/artifact.hpp"
#include "kube/client.hpp"

#include <stop_token>

namespace rb::controller {

/// Gives each release that has no other owner the HelmChart that installs it, where there is one,
/// and takes it from those that are only named like what k3s brings: who switches k3s's traefik off
/// may install his own. Asks nothing where every release has another owner.
/// Where HelmCharts cannot be listed (no such kind here, a role of an older version), all stays as
/// it was guessed: owners decide on words, never on what is kept.
void settle_chart_owners(kube::Client& client, helm::Inventory& inventory, std::stop_token stop);

} // namespace rb::controller

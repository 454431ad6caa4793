// The step that holds the restored cluster against the snapshot that it was restored from.
#include "objects/served.hpp"
#include "restore/cluster/cluster_api.hpp"
#include "restore/cluster/lost_objects.hpp"
#include "restore/cluster/steps.hpp"

namespace rb::cluster {

namespace {

/// Custom resources are served some moments after the server is ready.
constexpr auto k_definitions_patience = std::chrono::seconds(30);

} // namespace

Status do_compare(const Plan& plan, Ports& ports, Outcome& outcome) {
  RB_TRY_ASSIGN(const objects::Contents contents, ports.cluster.contents(plan.snapshot_path()));
  RB_TRY_ASSIGN(const auto api,
                ports.cluster.connect({plan.k3s_program, plan.kubeconfig}, plan.work_dir()));
  RB_TRY_ASSIGN(const objects::ServedKinds served,
                objects::served_kinds(*api, contents, ports.waiter, k_definitions_patience, {}));
  RB_TRY_ASSIGN(outcome.objects, compare_objects(*api, contents, served.resources, ports.waiter));
  ports.progress.on_line(std::to_string(outcome.objects.kinds) + " kinds of objects compared");
  return {};
}

} // namespace rb::cluster

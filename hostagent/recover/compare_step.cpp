// The step that holds the restored cluster against the snapshot that it was restored from.
#include "objects/served_kinds.hpp"
#include "recover/cluster_api.hpp"
#include "recover/object_counts.hpp"
#include "recover/steps.hpp"

namespace rb::recover {

namespace {

/// Custom resources are served some moments after the server is ready.
constexpr auto k_definitions_patience = std::chrono::seconds(30);

} // namespace

Status do_compare(const Plan& plan, Ports& ports, Outcome& outcome) {
  RB_TRY_ASSIGN(const objects::Contents contents, ports.cluster.contents(plan.snapshot_path()));
  RB_TRY_ASSIGN(const auto api,
                ports.cluster.connect({plan.k3s_program, plan.kubeconfig}, plan.work_dir()));
  RB_TRY_ASSIGN(const objects::ServedKinds served,
                objects::served_kinds(*api, contents, ports.sleeper, k_definitions_patience, {}));
  const ObjectCounts expected = stored_counts(contents);
  RB_TRY_ASSIGN(const ServedCounts found,
                served_counts(*api, served.resources, expected, ports.sleeper));
  CountComparison comparison = compare_counts(expected, found);
  outcome.differences = std::move(comparison.differences);
  outcome.missing_kinds = std::move(comparison.missing_kinds);
  ports.progress.on_line(std::to_string(found.counts.size()) + " kinds of objects counted");
  return {};
}

} // namespace rb::recover

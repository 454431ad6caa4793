#include "agent/run_order.hpp"

#include <algorithm>

namespace rb::agent {

bool RunOrder::wants(api::ArtifactType type) const {
  return std::find(artifacts.begin(), artifacts.end(), type) != artifacts.end();
}

RunOrder run_order_from(const api::NodeBackup& order) {
  RunOrder run;
  run.run_id = order.spec.run_id;
  run.cluster_backup_name = order.spec.cluster_backup_name;
  run.cluster_backup_uid =
      order.meta.controller_owner ? order.meta.controller_owner->uid : order.meta.name;
  run.artifacts = order.spec.artifacts;
  run.keep_last = order.spec.keep_last;
  run.manual = order.spec.manual;
  run.helm_payload = order.spec.helm_payload;
  run.helm = order.spec.helm;
  run.missing = order.spec.missing;
  run.generation = order.meta.generation;
  run.verification = order.spec.verification;
  run.deadline = order.spec.deadline;
  return run;
}

} // namespace rb::agent

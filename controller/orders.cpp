#include "controller/orders.hpp"

#include "controller/agents.hpp"
#include "controller/summary.hpp"

#include "base/bytes.hpp"
#include "base/digest.hpp"

namespace rb::controller {

namespace {

using api::ClusterBackup;
using api::NodeBackup;
using std::chrono::seconds;

api::MissingArtifact lost_collection() {
  return {api::ArtifactType::helm_values,
          api::Reason::collection_lost,
          "the controller ended " + std::to_string(k_helm_step_limit) +
              " times while it collected the Helm values; see its last state with kubectl describe "
              "pod: was it out of memory?"};
}

/// What the Helm step gave, as this process knows it.
void add_helm(const Observed& observed,
              const ClusterBackup& backup,
              const RunMemory* memory,
              api::NodeBackupSpec& spec) {
  if (memory != nullptr && memory->helm) {
    spec.helm_payload = memory->helm->payload;
    spec.helm = memory->helm->status;
    if (memory->helm->missing) {
      spec.missing.push_back(*memory->helm->missing);
    }
  } else if (observed.now < spec.deadline && helm_attempts(backup.status) > 0) {
    spec.missing.push_back(lost_collection());
  }
}

} // namespace

const std::string& owner_of(const NodeBackup& order) {
  return order.meta.controller_owner ? order.meta.controller_owner->uid : order.meta.name;
}

std::string order_name(const ClusterBackup& backup, const std::string& node) {
  constexpr std::size_t k_digits = 8;
  return node == backup.status.node_name
             ? backup.meta.uid
             : backup.meta.uid + "-" + to_hex(sha256(as_bytes(node))).substr(0, k_digits);
}

std::vector<const NodeBackup*> orders_of(const Observed& observed, const std::string& uid) {
  std::vector<const NodeBackup*> orders;
  for (auto it = observed.orders.lower_bound(uid);
       it != observed.orders.end() && it->first.starts_with(uid);
       ++it) {
    if (owner_of(it->second) == uid) {
      orders.push_back(&it->second);
    }
  }
  return orders;
}

const NodeBackup* find_order(const Observed& observed, const std::string& name) {
  const auto found = observed.orders.find(name);
  return found == observed.orders.end() ? nullptr : &found->second;
}

NodeBackup make_order(const Observed& observed,
                      const ClusterBackup& backup,
                      const std::string& node,
                      const std::string& name,
                      const NodeBackup* like,
                      const RunMemory* memory) {
  NodeBackup order;
  order.meta.name = name;
  order.meta.labels = {{"app.kubernetes.io/name", "railiance-backup"},
                       {"app.kubernetes.io/managed-by", "railiance-backup-controller"}};
  order.meta.controller_owner = api::OwnerReference{std::string(api::k_api_version),
                                                    std::string(api::k_cluster_backup_kind),
                                                    backup.meta.name,
                                                    backup.meta.uid};
  api::NodeBackupSpec& spec = order.spec;
  spec.cluster_backup_name = backup.meta.name;
  spec.run_id = backup.status.run_id;
  spec.node_name = node;
  spec.artifacts = backup.spec.artifacts;
  spec.keep_last = backup.spec.keep_last.value_or(observed.settings.keep_last);
  spec.manual = !backup.spec.scheduled;
  spec.verification = backup.spec.verification;
  spec.deadline = *backup.status.start_time + seconds{backup.spec.deadline_seconds};
  spec.servers = known_servers(observed);
  if (like != nullptr) {
    spec.helm_payload = like->spec.helm_payload;
    spec.helm = like->spec.helm;
    spec.missing = like->spec.missing;
  } else {
    add_helm(observed, backup, memory, spec);
  }
  return order;
}

} // namespace rb::controller

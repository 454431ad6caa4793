#include "world.hpp"

#include <algorithm>

namespace rb::controller::test {

namespace {

struct Carry {
  Observed& observed;

  void operator()(const CollectHelm& action) const {
    HelmOutcome outcome;
    outcome.payload = api::HelmPayload{
        {"railiance-backup-payload-" + action.uid + "-0"}, 100, std::string(64, 'a')};
    outcome.status = api::HelmStatus{3, {}, 0};
    observed.memory[action.uid].helm = outcome;
    observed.payload_runs.insert(action.uid);
  }
  void operator()(const CreateOrder& action) const {
    api::NodeBackup order = action.order;
    order.meta.uid = "order-" + order.meta.name;
    observed.orders.emplace(order.meta.name, std::move(order));
    observed.order_silence[action.order.meta.name] = std::chrono::seconds{0};
  }
  void operator()(const ReadOrder& action) const {
    const auto order = observed.orders.find(action.name);
    observed.memory[action.name].order_gone = order == observed.orders.end();
    if (order != observed.orders.end()) {
      observed.memory[action.name].asked_version = order->second.meta.resource_version;
    }
  }
  void operator()(const DeleteOrder& action) const { observed.orders.erase(action.name); }
  void operator()(const DeletePayload& action) const {
    observed.payload_runs.erase(action.run_uid);
  }
  void operator()(const PatchReplicated& action) const {
    api::set_condition(
        observed.backups.at(action.uid).status.conditions, action.condition, observed.now);
  }
  void operator()(const DeleteBackup& action) const { observed.backups.erase(action.uid); }
};

} // namespace

void carry_out(const Plan& plan, Observed& observed) {
  for (const StatusPatch& patch : plan.statuses) {
    const auto found = observed.backups.find(patch.uid);
    if (patch.helm_attempt > 0 && found != observed.backups.end()) {
      observed.memory[patch.uid].helm_begun = patch.helm_attempt; // as the executor
    }
    if (found != observed.backups.end() &&
        found->second.meta.resource_version == patch.resource_version) {
      found->second.status = patch.status;
      observed.newest_run_id =
          std::max(observed.newest_run_id, patch.status.run_id); // as the store
      found->second.meta.resource_version = std::to_string(std::stoi(patch.resource_version) + 1);
    }
  }
  for (const Action& action : plan.actions) {
    std::visit(Carry{observed}, action);
  }
}

int settle(Observed& observed) {
  for (int rounds = 0;; ++rounds) {
    const Plan next = plan(observed);
    if (next.empty() || rounds == 1000) {
      return rounds;
    }
    carry_out(next, observed);
  }
}

void finish(Observed& observed, const std::string& uid) {
  using api::ConditionStatus;
  using api::Reason;
  namespace type = api::condition_type;
  api::NodeBackup& order = observed.orders.at(uid);
  for (const api::ArtifactType artifact : order.spec.artifacts) {
    const bool helm = artifact == api::ArtifactType::helm_values;
    if (!helm || order.spec.helm_payload) {
      order.status.artifacts.push_back(
          {artifact, api::file_name(artifact, order.spec.run_id), 1000, std::string(64, 'b')});
    }
  }
  const bool whole = order.spec.missing.empty();
  order.status.etcd = api::EtcdStatus{42, 7};
  order.status.completion_time = observed.now;
  order.status.conditions = {
      condition(type::k_succeeded,
                whole ? ConditionStatus::true_ : ConditionStatus::false_,
                whole ? Reason::completed : Reason::incomplete),
      condition(type::k_snapshot_taken, ConditionStatus::true_, Reason::completed),
      condition(type::k_artifacts_stored, ConditionStatus::true_, Reason::completed),
      condition(type::k_verified, ConditionStatus::true_, Reason::completed),
      condition(type::k_pruned, ConditionStatus::true_, Reason::completed)};
  if (order.spec.verification == api::Verification::boot) {
    order.status.conditions.push_back(
        condition(type::k_proven, ConditionStatus::true_, Reason::completed, "all as it was"));
  }
}

void fail(Observed& observed,
          const std::string& uid,
          api::Reason reason,
          const std::string& message) {
  api::NodeBackup& order = observed.orders.at(uid);
  order.status.completion_time = observed.now;
  order.status.conditions = {
      condition(api::condition_type::k_succeeded, api::ConditionStatus::false_, reason, message)};
}

Observed begun() {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed);
  return observed;
}

Observed with_order() {
  Observed observed = begun();
  settle(observed);
  return observed;
}

} // namespace rb::controller::test

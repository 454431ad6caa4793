#include "controller/plan.hpp"

#include "controller/agents.hpp"
#include "controller/run_checks.hpp"
#include "controller/summary.hpp"

#include <algorithm>
#include <tuple>

namespace rb::controller {

namespace {

using api::ClusterBackup;
using api::NodeBackup;
using std::chrono::seconds;

void look_again(Plan& plan, seconds when) {
  plan.requeue_after = plan.requeue_after ? std::min(*plan.requeue_after, when) : when;
}

const NodeBackup* order_of(const Observed& observed, const std::string& uid) {
  const auto found = observed.orders.find(uid);
  return found == observed.orders.end() ? nullptr : &found->second;
}

const RunMemory* memory_of(const Observed& observed, const std::string& uid) {
  const auto found = observed.memory.find(uid);
  return found == observed.memory.end() ? nullptr : &found->second;
}

void patch(Plan& plan,
           const ClusterBackup& backup,
           api::ClusterBackupStatus status,
           std::optional<ResultEvent> event = std::nullopt,
           int helm_attempt = 0) {
  if (!same_status(backup.status, status)) {
    plan.statuses.push_back({backup.meta.name,
                             backup.meta.uid,
                             backup.meta.resource_version,
                             std::move(status),
                             std::move(event),
                             helm_attempt});
  }
}

/// A run id is waited for while the newest one is at most this far ahead; beyond, the clock jumped.
constexpr seconds k_run_id_wait{5};

/// The present second, if it is later than every run id so far: ids that run ahead of the clock
/// would be given again once their objects are gone, and retention would hold the clock for wrong.
/// After a jump of the clock, the next second that no other run has. Nothing: look again in 1 s.
std::optional<std::string> new_run_id(const Observed& observed) {
  const auto newest = parse_run_id(observed.newest_run_id);
  if (!newest || *newest < observed.now) {
    return format_run_id(observed.now);
  }
  if (*newest - observed.now <= k_run_id_wait) {
    return std::nullopt;
  }
  for (SystemTime time = observed.now;; time += seconds{1}) {
    std::string id = format_run_id(time);
    const bool taken = std::ranges::any_of(
        observed.backups, [&](const auto& entry) { return entry.second.status.run_id == id; });
    if (!taken && id != observed.newest_run_id) {
      return id;
    }
  }
}

/// A process that dies in the Helm step may die of it: two are enough.
constexpr int k_helm_attempts = 2;

api::MissingArtifact lost_collection() {
  return {api::ArtifactType::helm_values,
          api::Reason::collection_lost,
          "the controller ended " + std::to_string(k_helm_attempts) +
              " times while it collected the Helm values; see its last state with kubectl describe "
              "pod: was it out of memory?"};
}

CreateOrder make_order(const ClusterBackup& backup,
                       const std::string& node,
                       std::int32_t keep_last,
                       const RunMemory* memory) {
  NodeBackup order;
  order.meta.name = backup.meta.uid;
  order.meta.labels = {{"app.kubernetes.io/name", "railiance-backup"},
                       {"app.kubernetes.io/managed-by", "railiance-backup-controller"}};
  order.meta.controller_owner = api::OwnerReference{std::string(api::k_api_version),
                                                    std::string(api::k_cluster_backup_kind),
                                                    backup.meta.name,
                                                    backup.meta.uid};
  order.spec.cluster_backup_name = backup.meta.name;
  order.spec.run_id = backup.status.run_id;
  order.spec.node_name = node;
  order.spec.artifacts = backup.spec.artifacts;
  order.spec.keep_last = backup.spec.keep_last.value_or(keep_last);
  order.spec.manual = !backup.spec.scheduled;
  order.spec.verification = backup.spec.verification;
  order.spec.deadline = *backup.status.start_time + seconds{backup.spec.deadline_seconds};
  if (memory != nullptr && memory->helm) {
    order.spec.helm_payload = memory->helm->payload;
    order.spec.helm = memory->helm->status;
    if (memory->helm->missing) {
      order.spec.missing.push_back(*memory->helm->missing);
    }
  }
  return {std::move(order)};
}

/// What comes before the order. False: nothing, the order can go.
bool plan_helm(const RunView& view, Plan& plan) {
  const ClusterBackup& backup = view.backup;
  const bool wanted = std::ranges::find(backup.spec.artifacts, api::ArtifactType::helm_values) !=
                      backup.spec.artifacts.end();
  // An order past its deadline is never carried out: the agent tells what is on its disk.
  if (!wanted || overdue(view) || (view.memory != nullptr && view.memory->helm)) {
    return false;
  }
  const int begun = helm_attempts(backup.status);
  const int ours = view.memory == nullptr ? 0 : view.memory->helm_begun;
  if (begun > 0 && begun == ours) {
    plan.actions.emplace_back(CollectHelm{backup.meta.name,
                                          backup.meta.uid,
                                          backup.status.run_id,
                                          std::clamp(seconds{backup.spec.deadline_seconds} / 4,
                                                     seconds{1},
                                                     view.observed.settings.helm_limit)});
    return true;
  }
  if (begun < k_helm_attempts) {
    patch(plan, backup, helm_begun(backup, begun + 1, view.observed.now), std::nullopt, begun + 1);
    return true;
  }
  return false;
}

/// The run is started, goes on, and has no order yet.
void plan_order(const RunView& view, Plan& plan) {
  if (was_ordered(view)) {
    plan.actions.emplace_back(ConfirmOrderGone{view.backup.meta.uid});
    return;
  }
  const std::optional<std::string> node = choose_node(view.observed, view.backup);
  if (!node || waits_for_better_agent(view)) {
    return;
  }
  if (plan_helm(view, plan)) {
    return;
  }
  CreateOrder create =
      make_order(view.backup, *node, view.observed.settings.keep_last, view.memory);
  const bool collected = view.memory != nullptr && view.memory->helm;
  if (!collected && !overdue(view) && helm_attempts(view.backup.status) > 0) {
    create.order.spec.missing.push_back(lost_collection());
  }
  plan.actions.emplace_back(std::move(create));
}

void plan_active(const Observed& observed, const ClusterBackup& backup, Plan& plan) {
  if (backup.status.run_id.empty() || !backup.status.start_time) {
    if (const auto run_id = new_run_id(observed)) {
      patch(plan, backup, started(backup, *run_id, observed.now));
    } else {
      look_again(plan, seconds{1});
    }
    return;
  }
  const RunView view{
      observed, backup, order_of(observed, backup.meta.uid), memory_of(observed, backup.meta.uid)};
  if (const auto verdict = check_run(view)) {
    patch(plan,
          backup,
          ended(backup, view.order, *verdict, observed.now),
          ResultEvent{!verdict->succeeded, verdict->reason_word(), verdict->message});
    return;
  }
  look_again(plan, next_check(view));
  if (view.order != nullptr) {
    patch(plan, backup, mirrored(backup, *view.order, observed.now));
  } else {
    plan_order(view, plan);
  }
}

/// What is left to do when the result is in the status.
void plan_ended(const Observed& observed, const ClusterBackup& backup, Plan& plan) {
  const NodeBackup* order = order_of(observed, backup.meta.uid);
  if (order != nullptr && !order->finished()) {
    plan.actions.emplace_back(
        DeleteOrder{order->meta.name, order->meta.uid, backup.meta.name, false});
  } else if (order != nullptr) {
    if (auto condition = replicated(backup, *order, observed.now)) {
      plan.actions.emplace_back(
          PatchReplicated{backup.meta.name, backup.meta.uid, *std::move(condition)});
    }
  }
  if (observed.payload_runs.contains(backup.meta.uid)) {
    plan.actions.emplace_back(DeletePayload{backup.meta.uid});
  }
  if (backup.spec.ttl_seconds_after_finished && backup.status.completion_time &&
      !backup.meta.deletion_timestamp) {
    const SystemTime end =
        *backup.status.completion_time + seconds{*backup.spec.ttl_seconds_after_finished};
    if (end <= observed.now) {
      plan.actions.emplace_back(DeleteBackup{backup.meta.name, backup.meta.uid});
    } else {
      look_again(plan, end - observed.now);
    }
  }
}

/// Orders and payloads whose ClusterBackup is gone. Orders that are not ours are left alone.
void plan_orphans(const Observed& observed, Plan& plan) {
  for (const auto& [name, order] : observed.orders) {
    if (order.meta.controller_owner &&
        !observed.backups.contains(order.meta.controller_owner->uid)) {
      plan.actions.emplace_back(
          DeleteOrder{name, order.meta.uid, order.meta.controller_owner->name});
    }
  }
  for (const std::string& uid : observed.payload_runs) {
    if (!observed.backups.contains(uid)) {
      plan.actions.emplace_back(DeletePayload{uid});
    }
  }
}

} // namespace

const ClusterBackup* active_run(const Observed& observed) {
  const auto rank = [](const ClusterBackup& backup) {
    return std::tuple<bool, SystemTime, const std::string&>(
        backup.status.run_id.empty(), backup.meta.creation_timestamp, backup.meta.name);
  };
  const ClusterBackup* best = nullptr;
  for (const auto& [uid, backup] : observed.backups) {
    const bool waits_for_nothing = backup.meta.deletion_timestamp && backup.status.run_id.empty();
    if (!backup.finished() && !waits_for_nothing &&
        (best == nullptr || rank(backup) < rank(*best))) {
      best = &backup;
    }
  }
  return best;
}

Plan plan(const Observed& observed) {
  Plan plan;
  const ClusterBackup* active = active_run(observed);
  for (const auto& [uid, backup] : observed.backups) {
    if (&backup == active) {
      plan_active(observed, backup, plan);
    } else if (backup.finished()) {
      plan_ended(observed, backup, plan);
    } else if (!backup.meta.deletion_timestamp) {
      patch(plan, backup, queued(backup, observed.now));
    }
  }
  plan_orphans(observed, plan);
  return plan;
}

} // namespace rb::controller

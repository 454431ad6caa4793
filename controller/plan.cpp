#include "controller/plan.hpp"

#include "controller/agents.hpp"
#include "controller/orders.hpp"
#include "controller/run_checks.hpp"
#include "controller/summary.hpp"

#include "api/backup.hpp"

#include <algorithm>
#include <tuple>

namespace rb::controller {

namespace {

using api::ClusterBackup;
using api::NodeBackup;
using std::chrono::seconds;

bool is_refused(const Observed& observed, const ClusterBackup& backup) {
  const auto found = observed.memory.find(backup.meta.uid);
  return found != observed.memory.end() && found->second.status_refused;
}

void look_again(Plan& plan, seconds when) {
  plan.requeue_after = plan.requeue_after ? std::min(*plan.requeue_after, when) : when;
}

const RunMemory* memory_of(const Observed& observed, const std::string& order) {
  const auto found = observed.memory.find(order);
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
  if (begun < k_helm_step_limit) {
    patch(plan, backup, helm_begun(backup, begun + 1, view.observed.now), std::nullopt, begun + 1);
    return true;
  }
  return false;
}

CreateOrder order_to(const RunView& run,
                     const std::string& node,
                     const std::string& name,
                     const NodeBackup* like = nullptr) {
  return {make_order(run.observed, run.backup, node, name, like, run.memory)};
}

/// The run is started, goes on, and has no order yet. Where it goes to several servers, that is
/// written before anything is ordered.
void plan_first_order(const RunView& view, Plan& plan) {
  if (was_ordered(view)) {
    plan.actions.emplace_back(ReadOrder{view.backup.meta.uid});
    return;
  }
  const std::optional<std::string> node = choose_node(view.observed, view.backup);
  if (!node || waits_for_better_agent(view)) {
    return;
  }
  if (plan_helm(view, plan)) {
    return;
  }
  auto servers = choose_servers(view.observed, view.backup, *node);
  if (servers.empty()) {
    plan.actions.emplace_back(order_to(view, *node, view.backup.meta.uid));
  } else {
    patch(plan, view.backup, announced(view.backup, *node, std::move(servers), view.observed.now));
  }
}

void end_run(Plan& plan, const ClusterBackup& backup, RunEnd end) {
  patch(plan,
        backup,
        std::move(end.status),
        ResultEvent{!end.verdict.succeeded, end.verdict.reason_word(), end.verdict.message});
}

void plan_on_one_server(const RunView& view, Plan& plan) {
  if (auto verdict = check_run(view)) {
    auto status = ended(view.backup, view.order, *verdict, view.observed.now);
    end_run(plan, view.backup, {std::move(status), *std::move(verdict)});
    return;
  }
  look_again(plan, next_check(view));
  if (wants_order_read(view)) {
    plan.actions.emplace_back(ReadOrder{view.order->meta.name});
  }
  if (view.order != nullptr) {
    patch(plan, view.backup, mirrored(view.backup, *view.order, view.observed.now));
  } else {
    plan_first_order(view, plan);
  }
}

/// The orders that are not there. `views` are those of the servers that have not ended.
void plan_missing_orders(const RunView& run, const std::vector<RunView>& views, Plan& plan) {
  const std::vector<const NodeBackup*> orders = orders_of(run.observed, run.backup.meta.uid);
  const NodeBackup* const like = orders.empty() ? nullptr : orders.front();
  bool helm_is_done = like != nullptr;
  for (const RunView& view : views) {
    const std::string& node = view.server->node_name;
    const std::string name = order_name(run.backup, node);
    if (view.order != nullptr) {
      continue;
    }
    if (was_ordered(view)) {
      plan.actions.emplace_back(ReadOrder{name});
      continue;
    }
    // Two writes of one status in a plan would be one too many: this one comes next.
    if (!helm_is_done && (!plan.statuses.empty() || plan_helm(run, plan))) {
      return;
    }
    helm_is_done = true;
    plan.actions.emplace_back(order_to(run, node, name, like));
  }
}

/// Each server is judged by itself.
void plan_on_several_servers(const RunView& run, Plan& plan) {
  std::vector<RunPart> parts;
  std::vector<RunView> open;
  for (const api::ServerCopy& server : run.backup.status.servers) {
    const std::string name = order_name(run.backup, server.node_name);
    const RunView view{run.observed,
                       run.backup,
                       find_order(run.observed, name),
                       memory_of(run.observed, name),
                       &server};
    parts.push_back({view.order, std::nullopt});
    if (server.result != api::CopyState::left_out) {
      parts.back().verdict = check_run(view);
      if (!parts.back().verdict) {
        open.push_back(view);
      }
    }
  }
  if (open.empty()) {
    end_run(plan, run.backup, ended_on_servers(run.backup, parts, run.observed.now));
    return;
  }
  patch(plan, run.backup, mirrored_on_servers(run.backup, parts, run.observed.now));
  for (const RunView& view : open) {
    look_again(plan, next_check(view));
    if (wants_order_read(view)) {
      plan.actions.emplace_back(ReadOrder{view.order->meta.name});
    }
  }
  plan_missing_orders(run, open, plan);
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
  const std::string& uid = backup.meta.uid;
  const RunView run{observed, backup, find_order(observed, uid), memory_of(observed, uid)};
  if (backup.status.servers.empty()) {
    plan_on_one_server(run, plan);
  } else {
    plan_on_several_servers(run, plan);
  }
}

/// What is left to do with the orders of a run that has ended.
void plan_ended_orders(const Observed& observed, const ClusterBackup& backup, Plan& plan) {
  const std::vector<const NodeBackup*> orders = orders_of(observed, backup.meta.uid);
  for (const NodeBackup* order : orders) {
    if (!order->finished()) {
      plan.actions.emplace_back(
          DeleteOrder{order->meta.name, order->meta.uid, backup.meta.name, backup.meta.uid, false});
    }
  }
  if (auto condition = replicated(backup, orders, observed.now)) {
    plan.actions.emplace_back(
        PatchReplicated{backup.meta.name, backup.meta.uid, *std::move(condition)});
  }
}

/// What is left to do when the result is in the status.
void plan_ended(const Observed& observed, const ClusterBackup& backup, Plan& plan) {
  plan_ended_orders(observed, backup, plan);
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

/// It waits for its turn; the object is not on its way out.
bool waits(const ClusterBackup& backup) {
  return backup.status.run_id.empty() && !backup.finished() && !backup.meta.deletion_timestamp &&
         !api::came_back(backup);
}

bool ask_for_the_same(const api::ClusterBackupSpec& one, const api::ClusterBackupSpec& other) {
  return std::ranges::is_permutation(one.artifacts, other.artifacts) &&
         one.keep_last == other.keep_last && one.node_name == other.node_name &&
         one.servers == other.servers && one.verification == other.verification &&
         one.unknown == other.unknown;
}

/// A request of the schedule that nobody carried out for so long that nobody waits for it any more.
constexpr seconds k_turn_wait{3600};

/// The newest request of the schedule that takes the place of `backup`: while there was no
/// controller, for days maybe, each night left one. All of them, one after the other, would fill
/// what retention keeps with sets of one hour. Null: it has its turn.
const ClusterBackup* superseding(const Observed& observed, const ClusterBackup& backup) {
  const auto age = [](const ClusterBackup& each) {
    return std::tie(each.meta.creation_timestamp, each.meta.name);
  };
  if (!backup.spec.scheduled || !waits(backup) ||
      observed.now - backup.meta.creation_timestamp <
          std::max(k_turn_wait, seconds{backup.spec.deadline_seconds})) {
    return nullptr;
  }
  const ClusterBackup* newest = &backup;
  for (const auto& [uid, other] : observed.backups) {
    if (other.spec.scheduled && waits(other) && !is_refused(observed, other) &&
        ask_for_the_same(other.spec, backup.spec) && age(other) > age(*newest)) {
      newest = &other;
    }
  }
  return newest == &backup ? nullptr : newest;
}

/// Orders and payloads whose ClusterBackup is gone. Orders that are not ours are left alone.
void plan_orphans(const Observed& observed, Plan& plan) {
  for (const auto& [name, order] : observed.orders) {
    if (order.meta.controller_owner &&
        !observed.backups.contains(order.meta.controller_owner->uid)) {
      plan.actions.emplace_back(DeleteOrder{name,
                                            order.meta.uid,
                                            order.meta.controller_owner->name,
                                            order.meta.controller_owner->uid});
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
  const auto rank = [&](const ClusterBackup& backup) {
    return std::tuple<bool, bool, SystemTime, const std::string&>(is_refused(observed, backup),
                                                                  backup.status.run_id.empty(),
                                                                  backup.meta.creation_timestamp,
                                                                  backup.meta.name);
  };
  const ClusterBackup* best = nullptr;
  for (const auto& [uid, backup] : observed.backups) {
    const bool has_begun = !backup.status.run_id.empty() && !backup.finished();
    const bool has_a_turn = waits(backup) && superseding(observed, backup) == nullptr;
    if ((has_begun || has_a_turn) && (best == nullptr || rank(backup) < rank(*best))) {
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
    } else if (api::came_back(backup)) {
      patch(plan, backup, not_repeated(backup, observed.now));
    } else if (const ClusterBackup* newer = superseding(observed, backup)) {
      patch(plan, backup, superseded(backup, *newer, observed.now));
    } else if (!backup.meta.deletion_timestamp && !is_refused(observed, backup)) {
      patch(plan, backup, queued(backup, observed.now));
    }
  }
  plan_orphans(observed, plan);
  return plan;
}

} // namespace rb::controller

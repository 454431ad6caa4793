// Builders of what the controller observes, for tests that read as a specification.
#pragma once

#include "controller/plan.hpp"

#include <string>

namespace rb::controller::test {

inline const SystemTime k_start = parse_run_id("20260101T020000Z").value();

inline api::ClusterBackup backup(const std::string& name, int created_after_seconds = 0) {
  api::ClusterBackup backup;
  backup.meta.name = name;
  backup.meta.uid = "uid-" + name;
  backup.meta.resource_version = "1";
  backup.meta.generation = 1;
  backup.meta.creation_timestamp = k_start + std::chrono::seconds{created_after_seconds};
  return backup;
}

/// An empty cluster with one ready agent on node n1, a minute after k_start.
inline Observed cluster() {
  Observed observed;
  observed.now = k_start + std::chrono::seconds{60};
  observed.agents["agent-1"] = {"agent-1", "n1", true};
  return observed;
}

inline void add(Observed& observed, api::ClusterBackup backup) {
  observed.backups[backup.meta.uid] = std::move(backup);
}

/// What carrying out the plan does to the world, everything going well.
void carry_out(const Plan& plan, Observed& observed);

/// Plans and carries out until nothing is left to do; returns the number of plans.
int settle(Observed& observed);

/// Backup "b" with its run id in the status, nothing else done.
Observed begun();

/// The same, with its order.
Observed with_order();

inline api::Condition condition(std::string_view type,
                                api::ConditionStatus status,
                                api::Reason reason,
                                std::string message = {}) {
  return {std::string(type),
          status,
          std::string(api::to_string(reason)),
          std::move(message),
          k_start,
          1};
}

/// The agent takes the order.
inline void accept(Observed& observed, const std::string& uid, const std::string& agent = "pod-1") {
  api::NodeBackup& order = observed.orders.at(uid);
  order.status.agent_id = agent;
  order.status.start_time = observed.now;
  order.status.heartbeat_time = observed.now;
  observed.order_silence[uid] = std::chrono::seconds{0};
}

/// The agent stores all that was asked for and is not known to be missing, and ends the order.
void finish(Observed& observed, const std::string& uid);

/// The agent ends the order with that reason and nothing stored.
void fail(Observed& observed,
          const std::string& uid,
          api::Reason reason,
          const std::string& message);

inline const api::Condition& succeeded(const Observed& observed, const std::string& uid) {
  return *api::find_condition(observed.backups.at(uid).status.conditions,
                              api::condition_type::k_succeeded);
}

template <typename T> const T* only_action(const Plan& plan) {
  return plan.actions.size() == 1 ? std::get_if<T>(&plan.actions.front()) : nullptr;
}

} // namespace rb::controller::test

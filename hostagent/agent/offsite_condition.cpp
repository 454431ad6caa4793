#include "agent/offsite_condition.hpp"

namespace rb::agent {

namespace {

bool is_of(const offsite::SetView& set, const api::NodeBackup& order) {
  return set.cluster_backup_uid.empty() ||
         (order.meta.controller_owner ? set.cluster_backup_uid == order.meta.controller_owner->uid
                                      : set.cluster_backup_uid == order.meta.name);
}

} // namespace

std::optional<api::Condition> replicated_condition(const offsite::View& view,
                                                   const api::NodeBackup& order) {
  const auto set = view.sets.find(order.spec.run_id);
  if (!order.finished() || set == view.sets.end() || !is_of(set->second, order)) {
    return std::nullopt;
  }
  api::Condition condition;
  condition.type = api::condition_type::k_replicated;
  condition.observed_generation = order.meta.generation;
  if (set->second.replicated) {
    condition.status = api::ConditionStatus::true_;
    condition.reason = api::to_string(api::Reason::completed);
    condition.message = "copied to " + view.remote + " and read back from there";
  } else if (!set->second.damaged.empty()) {
    condition.status = api::ConditionStatus::false_;
    condition.reason = api::to_string(api::Reason::verification_failed);
    condition.message = set->second.damaged + "; it is left out, the others are copied";
  } else if (view.trouble) {
    condition.status = api::ConditionStatus::false_;
    condition.reason = api::to_string(view.trouble->reason);
    condition.message = view.trouble->message + "; it is tried again";
  } else {
    condition.status = api::ConditionStatus::unknown;
    condition.reason = api::to_string(api::Reason::pending);
    condition.message = "is to be copied to " + view.remote;
  }
  return condition;
}

std::optional<api::NodeBackupStatus>
with_replicated(const offsite::View& view, const api::NodeBackup& order, SystemTime now) {
  const auto wanted = replicated_condition(view, order);
  if (!wanted) {
    return std::nullopt;
  }
  const api::Condition* known =
      api::find_condition(order.status.conditions, api::condition_type::k_replicated);
  if (known != nullptr && known->status == wanted->status && known->reason == wanted->reason &&
      known->message == wanted->message) {
    return std::nullopt;
  }
  api::NodeBackupStatus status = order.status;
  api::set_condition(status.conditions, *wanted, now);
  return status;
}

} // namespace rb::agent

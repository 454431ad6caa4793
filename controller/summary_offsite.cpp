// What the agents say of the copies off-site of a run that has ended, as one condition of the run.
#include "controller/summary.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

using api::Condition;
using api::ConditionStatus;
using api::NodeBackup;
namespace type = api::condition_type;

const Condition* report_of(const NodeBackup& order) {
  return api::find_condition(order.status.conditions, type::k_replicated);
}

/// Something is said of its copy, or is to be expected: its set is whole. Of others there is none.
bool has_copy(const NodeBackup& order) {
  const Condition* result = api::find_condition(order.status.conditions, type::k_succeeded);
  return order.finished() &&
         (report_of(order) != nullptr || result->status == ConditionStatus::true_);
}

/// The off-site process of a server may be down, or not there.
Condition said_of(const NodeBackup& order) {
  if (const Condition* report = report_of(order)) {
    return *report;
  }
  Condition unsaid;
  unsaid.reason = api::to_string(api::Reason::pending);
  unsaid.message = "nothing is said of it yet";
  return unsaid;
}

/// "1 of 3 copied, not cp-2, cp-3; cp-3: no connection": why is that of the first that failed, else
/// of the first that is not copied.
Condition of_several(const std::vector<const NodeBackup*>& orders) {
  Condition all;
  all.type = type::k_replicated;
  all.status = ConditionStatus::true_;
  all.reason = api::to_string(api::Reason::completed);
  std::size_t copied = 0;
  std::string missing;
  std::string why;
  for (const NodeBackup* order : orders) {
    const Condition said = said_of(*order);
    const std::string& node = order->spec.node_name;
    if (said.status == ConditionStatus::true_) {
      ++copied;
      continue;
    }
    missing.append(missing.empty() ? ", not " : ", ").append(node);
    const bool is_first = all.status == ConditionStatus::true_;
    const bool is_worse =
        all.status == ConditionStatus::unknown && said.status == ConditionStatus::false_;
    if (is_first || is_worse) {
      all.status = said.status;
      all.reason = said.reason;
      why = "; " + node + ": " + said.message;
    }
  }
  all.message = std::to_string(copied) + " of " + std::to_string(orders.size()) + " copied" +
                (missing.empty() ? " and read back" : missing + why);
  return all;
}

} // namespace

std::optional<Condition> replicated(const api::ClusterBackup& backup,
                                    std::vector<const NodeBackup*> orders,
                                    SystemTime now) {
  std::erase_if(orders, [](const NodeBackup* order) { return !has_copy(*order); });
  if (std::ranges::none_of(orders,
                           [](const NodeBackup* order) { return report_of(*order) != nullptr; })) {
    return std::nullopt;
  }
  std::ranges::sort(orders, {}, [](const NodeBackup* order) -> const std::string& {
    return order->spec.node_name;
  });
  std::vector<Condition> conditions;
  if (const auto* known = api::find_condition(backup.status.conditions, type::k_replicated)) {
    conditions.push_back(*known);
  }
  const nlohmann::json before = api::to_json(conditions);
  Condition wanted = orders.size() == 1 ? said_of(*orders.front()) : of_several(orders);
  wanted.observed_generation = backup.meta.generation;
  api::set_condition(conditions, std::move(wanted), now);
  return api::to_json(conditions) == before ? std::nullopt : std::optional(conditions.front());
}

} // namespace rb::controller

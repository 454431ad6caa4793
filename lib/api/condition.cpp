#include "api/condition.hpp"

#include "api/json_fields.hpp"
#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::api {

namespace {

/// A word that is none of the three says nothing.
ConditionStatus parse_status(std::string_view text) {
  for (const auto status : {ConditionStatus::true_, ConditionStatus::false_}) {
    if (to_string(status) == text) {
      return status;
    }
  }
  return ConditionStatus::unknown;
}

} // namespace

std::string_view to_string(ConditionStatus status) {
  switch (status) {
  case ConditionStatus::true_:
    return "True";
  case ConditionStatus::false_:
    return "False";
  case ConditionStatus::unknown:
    return "Unknown";
  }
  return "Unknown";
}

const Condition* find_condition(const std::vector<Condition>& conditions, std::string_view type) {
  const auto found = std::ranges::find(conditions, type, &Condition::type);
  return found == conditions.end() ? nullptr : &*found;
}

void set_condition(std::vector<Condition>& conditions, Condition condition, SystemTime now) {
  const auto found = std::ranges::find(conditions, condition.type, &Condition::type);
  if (found == conditions.end()) {
    condition.last_transition_time = now;
    conditions.push_back(std::move(condition));
    return;
  }
  condition.last_transition_time =
      found->status == condition.status ? found->last_transition_time : now;
  *found = std::move(condition);
}

nlohmann::json to_json(const std::vector<Condition>& conditions) {
  nlohmann::json list = nlohmann::json::array();
  for (const Condition& condition : conditions) {
    list.push_back({{"type", condition.type},
                    {"status", to_string(condition.status)},
                    {"reason", condition.reason},
                    {"message", bounded(condition.message, k_message_limit)},
                    {"lastTransitionTime", format_rfc3339(condition.last_transition_time)},
                    {"observedGeneration", condition.observed_generation}});
  }
  return list;
}

Result<std::vector<Condition>> conditions_from_json(const nlohmann::json& json) {
  std::vector<Condition> conditions;
  try {
    for (const auto& item : json) {
      Condition condition;
      condition.type = item.at("type").get<std::string>();
      condition.status = parse_status(item.at("status").get<std::string>());
      condition.reason = item.value("reason", "");
      condition.message = item.value("message", "");
      RB_TRY_ASSIGN(condition.last_transition_time,
                    parse_rfc3339(item.at("lastTransitionTime").get<std::string>()));
      condition.observed_generation = json_integer_or(item, "observedGeneration", std::int64_t{0});
      conditions.push_back(std::move(condition));
    }
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "conditions: not of the form of metav1.Condition", {}};
  }
  return conditions;
}

} // namespace rb::api

#include "api/meta.hpp"

#include "api/artifacts.hpp"
#include "base/json_fields.hpp"

#include <algorithm>

namespace rb::api {

namespace {

/// An entry of metadata.ownerReferences.
struct OwnerEntry {
  OwnerReference owner;
  bool is_controller = false;
};

void fields(JsonFields& json, OwnerEntry& entry) {
  json.always("apiVersion", entry.owner.api_version);
  json.always("kind", entry.owner.kind);
  json.always("name", entry.owner.name);
  json.always("uid", entry.owner.uid);
  json.always("controller", entry.is_controller);
  bool blocks_deletion = false;
  json.always("blockOwnerDeletion", blocks_deletion);
}

} // namespace

void fields(JsonFields& json, ObjectMeta& meta) {
  json.always("name", meta.name);
  json.optional("namespace", meta.name_space);
  json.optional("uid", meta.uid);
  json.optional("resourceVersion", meta.resource_version);
  if (json.reading()) {
    json.always("generation", meta.generation);
    json.always("creationTimestamp", meta.creation_timestamp);
    json.always("deletionTimestamp", meta.deletion_timestamp);
  }
  json.optional("labels", meta.labels);
  json.optional("annotations", meta.annotations);
  std::vector<OwnerEntry> owners;
  if (meta.controller_owner) {
    owners.push_back({*meta.controller_owner, true});
  }
  json.optional("ownerReferences", owners);
  for (OwnerEntry& entry : owners) {
    if (entry.is_controller) {
      meta.controller_owner = std::move(entry.owner);
    }
  }
}

nlohmann::json to_json(const ObjectMeta& meta) {
  return to_json_fields(meta);
}

Result<ObjectMeta> meta_from_json(const nlohmann::json& object) {
  ObjectMeta meta;
  JsonFields reader(object);
  reader.required("metadata", meta);
  RB_TRY(reader.result());
  return meta;
}

std::span<const Word<ConditionStatus>> words_of(ConditionStatus /*status*/) {
  static constexpr std::array<Word<ConditionStatus>, 3> k_words{
      {{ConditionStatus::true_, "True"},
       {ConditionStatus::false_, "False"},
       {ConditionStatus::unknown, "Unknown"}}};
  return k_words;
}

void fields(JsonFields& json, Condition& condition) {
  json.required("type", condition.type);
  std::string status(to_string(condition.status));
  json.required("status", status);
  condition.status = from_word<ConditionStatus>(status).value_or(ConditionStatus::unknown);
  json.always("reason", condition.reason);
  if (!json.reading()) {
    condition.message = bounded(condition.message, k_message_limit);
  }
  json.always("message", condition.message);
  json.required("lastTransitionTime", condition.last_transition_time);
  json.always("observedGeneration", condition.observed_generation);
}

nlohmann::json to_json(const std::vector<Condition>& conditions) {
  nlohmann::json list = nlohmann::json::array();
  for (const Condition& condition : conditions) {
    list.emplace_back(to_json_fields(condition));
  }
  return list;
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

bool has_ended(const std::vector<Condition>& conditions) {
  const Condition* succeeded = find_condition(conditions, condition_type::k_succeeded);
  return succeeded != nullptr && succeeded->status != ConditionStatus::unknown;
}

} // namespace rb::api

#include "api/meta.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

Result<ObjectMeta> meta_from_json(const nlohmann::json& object) {
  ObjectMeta meta;
  try {
    const auto& json = object.at("metadata");
    meta.name = json.value("name", "");
    meta.name_space = json.value("namespace", "");
    meta.uid = json.value("uid", "");
    meta.resource_version = json.value("resourceVersion", "");
    meta.generation = json_integer_or(json, "generation", std::int64_t{0});
    if (json.contains("creationTimestamp") && json["creationTimestamp"].is_string()) {
      RB_TRY_ASSIGN(meta.creation_timestamp,
                    parse_rfc3339(json["creationTimestamp"].get<std::string>()));
    }
    if (json.contains("deletionTimestamp") && json["deletionTimestamp"].is_string()) {
      RB_TRY_ASSIGN(meta.deletion_timestamp,
                    parse_rfc3339(json["deletionTimestamp"].get<std::string>()));
    }
    meta.labels = json.value("labels", meta.labels);
    meta.annotations = json.value("annotations", meta.annotations);
    for (const auto& owner : json.value("ownerReferences", nlohmann::json::array())) {
      if (owner.value("controller", false)) {
        meta.controller_owner = OwnerReference{owner.value("apiVersion", ""),
                                               owner.value("kind", ""),
                                               owner.value("name", ""),
                                               owner.value("uid", "")};
      }
    }
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "metadata: not of the form of metav1.ObjectMeta", {}};
  }
  return meta;
}

nlohmann::json to_json(const ObjectMeta& meta) {
  nlohmann::json json{{"name", meta.name}};
  if (!meta.name_space.empty()) {
    json["namespace"] = meta.name_space;
  }
  if (!meta.uid.empty()) {
    json["uid"] = meta.uid;
  }
  if (!meta.resource_version.empty()) {
    json["resourceVersion"] = meta.resource_version;
  }
  if (!meta.labels.empty()) {
    json["labels"] = meta.labels;
  }
  if (!meta.annotations.empty()) {
    json["annotations"] = meta.annotations;
  }
  if (meta.controller_owner) {
    const OwnerReference& owner = *meta.controller_owner;
    json["ownerReferences"] = {{{"apiVersion", owner.api_version},
                                {"kind", owner.kind},
                                {"name", owner.name},
                                {"uid", owner.uid},
                                {"controller", true},
                                {"blockOwnerDeletion", false}}};
  }
  return json;
}

} // namespace rb::api

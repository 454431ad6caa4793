#include "api/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::api {

bool has_ended(const std::vector<Condition>& conditions) {
  const Condition* succeeded = find_condition(conditions, condition_type::k_succeeded);
  return succeeded != nullptr && succeeded->status != ConditionStatus::unknown;
}

Result<std::optional<SystemTime>> time_field(const nlohmann::json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) {
    return std::optional<SystemTime>{};
  }
  RB_TRY_ASSIGN(const SystemTime time, parse_rfc3339(found->get<std::string>()));
  return std::optional<SystemTime>{time};
}

void put_time(nlohmann::json& json, const char* key, const std::optional<SystemTime>& time) {
  if (time) {
    json[key] = format_rfc3339(*time);
  }
}

void put_text(nlohmann::json& json, const char* key, const std::string& text) {
  if (!text.empty()) {
    json[key] = text;
  }
}

std::string bounded(const std::string& text, std::size_t limit) {
  if (text.size() <= limit) {
    return text;
  }
  std::size_t end = limit - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) {
    --end;
  }
  return text.substr(0, end) + "...";
}

nlohmann::json to_json(const std::vector<ArtifactType>& types) {
  nlohmann::json list = nlohmann::json::array();
  for (const ArtifactType type : types) {
    list.push_back(to_string(type));
  }
  return list;
}

std::vector<ArtifactType> artifact_types_from_json(const nlohmann::json& json,
                                                   std::vector<std::string>& unknown) {
  std::vector<ArtifactType> types;
  for (const auto& item : json) {
    auto word = item.get<std::string>();
    if (const auto type = parse_artifact_type(word)) {
      types.push_back(*type);
    } else {
      unknown.push_back(std::move(word));
    }
  }
  return types;
}

Verification verification_from_json(const nlohmann::json& json, std::vector<std::string>& unknown) {
  auto word = json.get<std::string>();
  const auto verification = parse_verification(word);
  if (!verification) {
    unknown.push_back(std::move(word));
  }
  return verification ? *verification : Verification::snapshot;
}

} // namespace rb::api

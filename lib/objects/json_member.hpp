// Reading JSON of the API server or of its store, which may have any form. Private to this room.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace rb::objects {

/// The member `name`; null where there is none, or where `object` is no object.
[[nodiscard]] inline const nlohmann::json& member(const nlohmann::json& object, const char* name) {
  static const nlohmann::json k_none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return object.is_object() && found != object.end() ? *found : k_none;
}

/// "" where there is no such text.
[[nodiscard]] inline std::string text_field(const nlohmann::json& object, const char* name) {
  const nlohmann::json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

/// An empty list where there is none.
[[nodiscard]] inline const nlohmann::json& list_field(const nlohmann::json& object,
                                                      const char* name) {
  static const nlohmann::json k_none = nlohmann::json::array();
  const nlohmann::json& value = member(object, name);
  return value.is_array() ? value : k_none;
}

} // namespace rb::objects

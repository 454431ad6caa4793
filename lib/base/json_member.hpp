// Looking into JSON that may have any form: of the API server, of its store, of a file that
// somebody else wrote. What is not there, or is of another type, is as good as empty; nothing
// throws.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace rb {

/// The member `name`; null where there is none, or where `object` is no object. The null lives as
/// long as the program.
template <typename Json>
[[nodiscard]] const Json& json_member(const Json& object, const char* name) {
  static const Json k_none;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() ? *found : k_none;
}

/// "" where `value` is no text.
template <typename Json> [[nodiscard]] std::string json_text(const Json& value) {
  return value.is_string() ? value.template get<std::string>() : std::string();
}

/// "" where there is no such text.
template <typename Json> [[nodiscard]] std::string json_text(const Json& object, const char* name) {
  return json_text(json_member(object, name));
}

/// An empty list where there is none.
template <typename Json> [[nodiscard]] const Json& json_list(const Json& object, const char* name) {
  static const Json k_none = Json::array();
  const Json& value = json_member(object, name);
  return value.is_array() ? value : k_none;
}

} // namespace rb

// Reading what the API server tells, which may have any form. Private to this room.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace rb::objects {

/// "" where there is no such text.
[[nodiscard]] inline std::string text_field(const nlohmann::json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

} // namespace rb::objects

// Integers out of JSON: what is no integer, or does not fit, is refused. nlohmann's own conversions
// take 1e300 and wrap what is too large.
#pragma once

#include <nlohmann/json.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <utility>

namespace rb {

/// Nothing where `value` is no integer in the range of `Number`.
template <std::integral Number>
[[nodiscard]] std::optional<Number> json_integer_of(const nlohmann::json& value) {
  if (value.is_number_unsigned() && std::in_range<Number>(value.get<std::uint64_t>())) {
    return static_cast<Number>(value.get<std::uint64_t>());
  }
  if (value.is_number_integer() && !value.is_number_unsigned() &&
      std::in_range<Number>(value.get<std::int64_t>())) {
    return static_cast<Number>(value.get<std::int64_t>());
  }
  return std::nullopt;
}

/// The same for code that catches. Throws nlohmann::json::exception.
template <std::integral Number> [[nodiscard]] Number json_integer(const nlohmann::json& value) {
  if (const auto number = json_integer_of<Number>(value)) {
    return *number;
  }
  throw nlohmann::json::out_of_range::create(406, "not an integer that fits", &value);
}

/// Of a key that may be absent. Throws as json_integer does, and where `object` is no object.
template <std::integral Number>
[[nodiscard]] Number json_integer_or(const nlohmann::json& object, const char* key, Number absent) {
  if (!object.is_object()) {
    throw nlohmann::json::type_error::create(306, "not an object", &object);
  }
  const auto found = object.find(key);
  return found == object.end() ? absent : json_integer<Number>(*found);
}

} // namespace rb

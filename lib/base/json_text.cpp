#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

namespace rb {

nlohmann::json json_of(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

} // namespace rb

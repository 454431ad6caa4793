#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

namespace rb {

nlohmann::json json_of(std::string_view text) {
  return nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
}

nlohmann::json json_of(std::string_view text, const JsonKeep& keep) {
  if (!keep) {
    return json_of(text);
  }
  const nlohmann::json::parser_callback_t callback =
      [&](int depth, nlohmann::json::parse_event_t event, const nlohmann::json& parsed) {
        return event != nlohmann::json::parse_event_t::key ||
               keep(depth, parsed.get_ref<const std::string&>());
      };
  return nlohmann::json::parse(text, callback, /*allow_exceptions=*/false);
}

} // namespace rb

#include "set/last_drill.hpp"

#include "set/names.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::set {

namespace {

constexpr std::size_t k_limit_bytes = 256U << 10U;

Error malformed(std::string_view what) {
  return {ErrorCode::corrupt,
          std::string(k_last_drill_name) + ": " + std::string(what),
          "the next railiance-restore drill writes it anew"};
}

Result<LastDrill> read(const nlohmann::json& json) {
  if (json.at("schema").get<std::string>() != k_last_drill_schema) {
    return Error{ErrorCode::unsupported,
                 std::string(k_last_drill_name) + ": unknown schema",
                 "a newer railiance-restore wrote it; use that one"};
  }
  LastDrill drill;
  drill.run_id = json.value("runID", "");
  drill.result = json.at("result").get<std::string>();
  drill.message = json.value("message", "");
  drill.duration =
      std::chrono::milliseconds(json_integer_or(json, "durationMilliseconds", std::int64_t{0}));
  const auto boot = json.find("boot");
  drill.booted =
      boot != json.end() && boot->is_object() && json_integer_or(*boot, "exitCode", -1) == 0;
  const auto time = parse_rfc3339(json.at("time").get<std::string>());
  if (!time) {
    return malformed("time is not a time");
  }
  drill.time = *time;
  return drill;
}

} // namespace

Result<LastDrill> parse_last_drill(std::string_view text) {
  const auto json = json_of(text);
  if (!json.is_object()) {
    return malformed("not a JSON object");
  }
  try {
    return read(json);
  } catch (const nlohmann::json::exception&) {
    return malformed("a field is missing or has the wrong type");
  }
}

Result<std::optional<LastDrill>> read_last_drill(Directory& directory) {
  auto file = directory.fs().open_read(std::string(k_last_drill_name));
  if (!file) {
    if (file.error().code == ErrorCode::not_found) {
      return std::optional<LastDrill>{};
    }
    return std::move(file).error();
  }
  Bytes buffer(k_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, (*file)->read(buffer));
  RB_TRY_ASSIGN(LastDrill drill, parse_last_drill(as_text(ByteView(buffer).first(got))));
  return std::optional<LastDrill>(std::move(drill));
}

} // namespace rb::set

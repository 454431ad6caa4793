#include "set/last_restore.hpp"

#include "set/names.hpp"
#include "set/writer.hpp"

#include <nlohmann/json.hpp>

namespace rb::set {

namespace {

using Json = nlohmann::json;

constexpr std::string_view k_schema = "railiance.io/last-restore/v1";
constexpr std::size_t k_limit_bytes = 4U << 10U;

Error malformed(std::string_view what) {
  return {ErrorCode::corrupt,
          std::string(k_last_restore_name) + ": " + std::string(what),
          "write it again with railiance-restore restore --execute, or remove it"};
}

} // namespace

std::string serialize(const LastRestore& restore) {
  nlohmann::ordered_json json;
  json["schema"] = k_schema;
  json["runID"] = restore.run_id;
  json["time"] = format_rfc3339(restore.time);
  return json.dump() + "\n";
}

Result<LastRestore> parse_last_restore(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto word = [&json](const char* key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!json.is_object()) {
    return malformed("not a JSON object");
  }
  if (word("schema") != k_schema) {
    return Error{ErrorCode::unsupported,
                 std::string(k_last_restore_name) + ": unknown schema",
                 "a newer railiance-restore wrote it; use that one"};
  }
  LastRestore restore;
  restore.run_id = word("runID");
  if (!parse_run_id(restore.run_id)) {
    return malformed("runID is not a run id");
  }
  const auto time = parse_rfc3339(word("time"));
  if (!time) {
    return malformed("time is not a time");
  }
  restore.time = *time;
  return restore;
}

Status write_last_restore(Directory& directory, std::string_view run_id, SystemTime now) {
  if (!parse_run_id(run_id)) {
    return Error{ErrorCode::invalid_argument, "not a run id: " + std::string(run_id), {}};
  }
  const std::string text = serialize({std::string(run_id), now});
  return replace_file(directory, std::string(k_last_restore_name), as_bytes(text));
}

Result<std::optional<LastRestore>> read_last_restore(Directory& directory) {
  auto file = directory.fs().open_read(std::string(k_last_restore_name));
  if (!file) {
    if (file.error().code == ErrorCode::not_found) {
      return std::optional<LastRestore>{};
    }
    return std::move(file).error();
  }
  Bytes buffer(k_limit_bytes);
  RB_TRY_ASSIGN(const std::size_t got, (*file)->read(buffer));
  RB_TRY_ASSIGN(LastRestore restore, parse_last_restore(as_text(ByteView(buffer).first(got))));
  return std::optional<LastRestore>(std::move(restore));
}

} // namespace rb::set

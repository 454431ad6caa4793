#include "offsite/state.hpp"

#include "set/writer.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

namespace rb::offsite {

namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t k_state_limit_bytes = 1U << 20U;

Result<State> state_from(const nlohmann::json& json) {
  State state;
  state.remote = json.at("remote").get<std::string>();
  for (const auto& item : json.at("replicated")) {
    const auto run_id = item.get<std::string>();
    RB_TRY(parse_run_id(run_id));
    state.replicated.insert(run_id);
  }
  state.kit = json.value("kit", state.kit);
  state.tried = json.value("tried", "");
  state.failures = json_integer_or(json, "failures", 0U);
  RB_TRY_ASSIGN(state.not_before, parse_rfc3339(json.at("notBefore").get<std::string>()));
  RB_TRY_ASSIGN(state.compared, parse_rfc3339(json.at("compared").get<std::string>()));
  for (const auto& [run_id, time] : json.value("read", std::map<std::string, std::string>())) {
    RB_TRY_ASSIGN(state.read[run_id], parse_rfc3339(time));
  }
  if (json.contains("rereadAt")) {
    RB_TRY_ASSIGN(state.reread_at, parse_rfc3339(json.at("rereadAt").get<std::string>()));
  }
  state.damaged = json.value("damaged", state.damaged);
  if (json.contains("trouble")) {
    Trouble trouble;
    const auto reason = api::parse_reason(json.at("trouble").at("reason").get<std::string>());
    trouble.reason = reason ? *reason : api::Reason::remote_failed;
    trouble.message = json.at("trouble").at("message").get<std::string>();
    state.trouble = std::move(trouble);
  }
  return state;
}

} // namespace

std::string serialize(const State& state) {
  Json json{{"schema", k_state_schema},
            {"remote", state.remote},
            {"replicated", state.replicated},
            {"kit", state.kit},
            {"tried", state.tried},
            {"failures", state.failures},
            {"notBefore", format_rfc3339(state.not_before)},
            {"compared", format_rfc3339(state.compared)},
            {"read", Json::object()},
            {"rereadAt", format_rfc3339(state.reread_at)},
            {"damaged", state.damaged}};
  for (const auto& [run_id, time] : state.read) {
    json["read"][run_id] = format_rfc3339(time);
  }
  if (state.trouble) {
    json["trouble"] = {{"reason", api::to_string(state.trouble->reason)},
                       {"message", state.trouble->message}};
  }
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<State> parse_state(std::string_view text) {
  try {
    const auto json = json_of(text);
    if (json.at("schema") != k_state_schema) {
      return Error{ErrorCode::unsupported, std::string(k_state_name) + ": of another schema", {}};
    }
    return state_from(json);
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, std::string(k_state_name) + ": cannot be read", {}};
  }
}

State read_state(set::Directory& directory, const std::string& remote) {
  State fresh;
  fresh.remote = remote;
  const auto file = directory.fs().open_read(std::string(k_state_name));
  if (!file) {
    return fresh;
  }
  Bytes buffer(k_state_limit_bytes);
  const auto got = (*file)->read(buffer);
  auto state = got ? parse_state(as_text(ByteView(buffer).first(*got)))
                   : Result<State>(Error{ErrorCode::io, {}, {}});
  return state && state->remote == remote ? *std::move(state) : fresh;
}

Status write_state(set::Directory& directory, const State& state) {
  return set::replace_file(directory, std::string(k_state_name), as_bytes(serialize(state)));
}

} // namespace rb::offsite

#include "set/host_state.hpp"

#include "k3s/token.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::set {

namespace {

constexpr std::string_view k_schema = "railiance.io/host-state/v1";
constexpr std::string_view k_description = "host.json";
constexpr std::string_view k_default_data_dir = "/var/lib/rancher/k3s";
constexpr std::string_view k_blank = " \t\r\n";

Error damaged(std::string what) {
  return {ErrorCode::corrupt, "host state: " + std::move(what), {}};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(k_blank);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(k_blank) - begin + 1);
}

Status read_description(std::string_view text, HostState& state) {
  const auto json = json_of(text);
  if (!json.is_object()) {
    return damaged("host.json is not JSON");
  }
  const auto field = [&](const char* name) {
    const auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (const std::string schema = field("schema"); schema != k_schema) {
    return Error{ErrorCode::unsupported,
                 "host state: host.json has a schema that this version does not know",
                 "use a newer railiance-restore"};
  }
  state.run_id = field("runID");
  state.k3s_version = field("k3sVersion");
  state.k3s_program = field("k3sProgram");
  state.node_name = field("nodeName");
  state.node_address = field("nodeAddress");
  state.data_dir = field("dataDir");
  state.token_hash = field("tokenHash");
  state.node = {field("nodeArgs"), field("nodeEnv")};
  return {};
}

std::string_view token_in(const HostState& state, const char* name) {
  const std::string base =
      state.data_dir.empty() ? std::string(k_default_data_dir) : state.data_dir;
  const archive::Entry* const entry = state.find(base + "/server/" + name);
  return entry == nullptr ? std::string_view() : trimmed(entry->content.text());
}

} // namespace

const archive::Entry* HostState::find(std::string_view path) const {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const auto found = std::find_if(
      files.begin(), files.end(), [&](const archive::Entry& entry) { return entry.path == path; });
  return found == files.end() ? nullptr : &*found;
}

std::string_view HostState::server_token() const {
  return token_in(*this, "token");
}

std::string_view HostState::agent_token() const {
  return token_in(*this, "agent-token");
}

Result<HostState> parse_host_state(ByteView tar_gz) {
  auto entries = archive::read_tar_gz(tar_gz);
  if (!entries) {
    Error error = std::move(entries).error();
    // A path that leads out of the archive is damage done on purpose.
    error.code = error.code == ErrorCode::invalid_argument ? ErrorCode::corrupt : error.code;
    return std::move(error).within("host state");
  }
  HostState state;
  bool described = false;
  for (archive::Entry& entry : *entries) {
    if (entry.path == k_description) {
      RB_TRY(read_description(entry.content.text(), state));
      described = true;
    } else {
      state.files.push_back(std::move(entry));
    }
  }
  if (!described) {
    return damaged("there is no host.json in it");
  }
  if (state.server_token().empty()) {
    return damaged("there is no server token in it");
  }
  if (!state.token_hash.empty() && k3s::token_hash(state.server_token()) != state.token_hash) {
    return damaged("its server token is not that of its host.json");
  }
  return state;
}

Result<HostState> open_host_state(set::Directory& directory,
                                  const set::Manifest& manifest,
                                  std::span<const age::Identity> identities,
                                  const std::stop_token& stop) {
  RB_TRY_ASSIGN(
      const SecretBytes plain,
      open_artifact(directory, manifest, api::ArtifactType::host_state, identities, stop));
  RB_TRY_ASSIGN(HostState state, parse_host_state(plain.view()));
  if (!manifest.token_hash.empty() &&
      k3s::token_hash(state.server_token()) != manifest.token_hash) {
    return Error{ErrorCode::corrupt,
                 "host state: its server token is not the one that the manifest names",
                 "it belongs to another cluster or another set: use the host state of this set"};
  }
  return state;
}

} // namespace rb::set

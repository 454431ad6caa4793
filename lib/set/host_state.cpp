#include "set/host_state.hpp"

#include "k3s/token.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "base/text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

namespace rb::set {

namespace {

constexpr std::string_view k_schema = "railiance.io/host-state/v1";
constexpr std::string_view k_description = "host.json";

Error damaged(std::string what) {
  return {ErrorCode::corrupt, "host state: " + std::move(what), {}};
}

/// A field of host.json that is a text.
struct Field {
  const char* key;
  std::string& (*of)(HostDescription& description);
};

using Description = HostDescription;
constexpr std::array<Field, 9> k_fields{{
    {"runID", [](Description& host) -> std::string& { return host.run_id; }},
    {"nodeName", [](Description& host) -> std::string& { return host.node_name; }},
    {"nodeAddress", [](Description& host) -> std::string& { return host.node_address; }},
    {"k3sVersion", [](Description& host) -> std::string& { return host.k3s_version; }},
    {"k3sProgram", [](Description& host) -> std::string& { return host.k3s_program; }},
    {"dataDir", [](Description& host) -> std::string& { return host.data_dir; }},
    {"tokenHash", [](Description& host) -> std::string& { return host.token_hash; }},
    {"nodeArgs", [](Description& host) -> std::string& { return host.node.args; }},
    {"nodeEnv", [](Description& host) -> std::string& { return host.node.env; }},
}};

/// What is there and a text counts.
Status read_description(std::string_view text, HostDescription& description) {
  const auto json = json_of(text);
  if (!json.is_object()) {
    return damaged("host.json is not JSON");
  }
  if (json_text(json, "schema") != k_schema) {
    return Error{ErrorCode::unsupported,
                 "host state: host.json has a schema that this version does not know",
                 "use a newer railiance-restore"};
  }
  for (const Field& field : k_fields) {
    field.of(description) = json_text(json, field.key);
  }
  return {};
}

SecretBytes write_description(HostDescription& description,
                              const std::vector<archive::Entry>& files,
                              const std::vector<SkippedFile>& skipped,
                              SystemTime now) {
  nlohmann::json json{{"schema", k_schema},
                      {"time", format_rfc3339(now)},
                      {"files", nlohmann::json::array()},
                      {"skipped", nlohmann::json::array()}};
  for (const Field& field : k_fields) {
    json[field.key] = field.of(description);
  }
  for (const archive::Entry& file : files) {
    json["files"].push_back(file.path);
  }
  for (const SkippedFile& file : skipped) {
    json["skipped"].push_back({{"path", file.path}, {"why", file.why}});
  }
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  return SecretBytes(as_bytes(text + "\n"));
}

std::string_view token_in(const HostState& state, const char* name) {
  const std::string base =
      state.data_dir.empty() ? std::string(k3s::k_usual_data_dir) : state.data_dir;
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

std::optional<std::string> HostStateView::read(const std::string& path) const {
  const archive::Entry* const entry = m_state.find(path);
  return entry == nullptr ? std::nullopt : std::optional(std::string(entry->content.text()));
}

std::vector<std::string> HostStateView::list(const std::string& directory) const {
  const std::string prefix = directory.substr(1) + "/";
  std::vector<std::string> names;
  for (const archive::Entry& entry : m_state.files) {
    if (entry.path.starts_with(prefix)) {
      const std::string rest = entry.path.substr(prefix.size());
      names.push_back(rest.substr(0, rest.find('/')));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string path_in_host_state(const std::string& path) {
  const std::string normal = std::filesystem::path(path).lexically_normal().string();
  return normal.substr(std::min(normal.find_first_not_of('/'), normal.size()));
}

Result<SecretBytes> pack_host_state(HostDescription description,
                                    std::vector<archive::Entry>& files,
                                    const std::vector<SkippedFile>& skipped,
                                    SystemTime now) {
  files.push_back(
      {std::string(k_description), write_description(description, files, skipped, now), 0600, now});
  return archive::write_tar_gz(files);
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

Result<HostState> open_host_state(Directory& directory,
                                  const Manifest& manifest,
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

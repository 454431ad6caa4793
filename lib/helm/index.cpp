#include "helm/index.hpp"

#include "terminal/terminal_text.hpp"

#include "archive/entry_path.hpp"
#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "base/secret_bytes.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rb::helm {

namespace {

constexpr std::size_t k_namespace_limit_bytes = 63;
constexpr std::size_t k_name_limit_bytes = 200; // with ".yaml" below NAME_MAX

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

using Json = nlohmann::ordered_json;

/// Without files of odd releases. Readers of before them take it.
constexpr std::string_view k_format_v1 = "railiance-backup/helm-values/v1";
/// With such files, which readers of before take for damage.
constexpr std::string_view k_format_v2 = "railiance-backup/helm-values/v2";

std::string shown(std::string_view text) {
  return terminal_text(text, 80);
}

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, "index.json: " + what, {}};
}

std::int64_t number_of(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

/// Two levels deep in the index, as nlohmann would indent it there.
std::string indented(const Json& entry) {
  const std::string text = entry.dump(2, ' ', false, Json::error_handler_t::replace);
  std::string out = "    ";
  for (const char c : text) {
    out += c;
    out.append(c == '\n' ? 4 : 0, ' ');
  }
  return out;
}

template <typename Entry>
void append_list(SecretBuffer& out, std::string_view name, const std::vector<Entry>& entries) {
  out.append(",\n  \"");
  out.append(name);
  out.append("\": [");
  for (const Entry& entry : entries) {
    out.append(&entry == &entries.front() ? "\n" : ",\n");
    out.append(entry_json(entry));
  }
  out.append(entries.empty() ? "]" : "\n  ]");
}

/// From what an index tells without it.
std::optional<api::ReleaseOwner> guessed_owner(const IndexedRelease& release) {
  return api::find_owner({release.name_space, release.name, release.chart_version, {}, {}});
}

/// As the backup found it, null where it found that there is none; what it did not record is
/// guessed.
std::optional<api::ReleaseOwner> owner_of(const nlohmann::json& json,
                                          const IndexedRelease& release) {
  const auto owner = json.find("owner");
  if (owner == json.end()) {
    return guessed_owner(release);
  }
  const std::string kind = json_text(*owner, "kind");
  return kind.empty() ? std::nullopt
                      : std::optional(api::ReleaseOwner{
                            kind, json_text(*owner, "namespace"), json_text(*owner, "name")});
}

/// The facts of a release, and where they stand in its entry.
struct Fact {
  const char* key;
  bool in_chart; ///< In the object "chart".
  std::string ReleaseFacts::*text;
  const char* words;
};
constexpr std::array<Fact, 7> k_facts{
    {{"status", false, &ReleaseFacts::status, "status"},
     {"name", true, &ReleaseFacts::chart_name, "chart name"},
     {"version", true, &ReleaseFacts::chart_version, "chart version"},
     {"appVersion", false, &ReleaseFacts::app_version, "appVersion"},
     {"updated", false, &ReleaseFacts::last_deployed, "last_deployed"},
     {"firstDeployed", false, &ReleaseFacts::first_deployed, "first_deployed"},
     {"deleted", false, &ReleaseFacts::deleted, "deleted"}}};

IndexedRelease release_of(const nlohmann::json& json, const Limits& limits) {
  IndexedRelease release;
  release.name_space = json_text(json, "namespace");
  release.name = json_text(json, "name");
  release.file = json_text(json, "file");
  release.storage_object = json_text(json, "storage");
  if (json.is_object()) {
    release.revision = number_of(json, "revision");
    release.has_values = json.value("hasValues", nlohmann::json()) == true;
    const nlohmann::json chart = json.value("chart", nlohmann::json());
    for (const Fact& fact : k_facts) {
      release.*fact.text = json_text(fact.in_chart ? chart : json, fact.key);
    }
    if (const nlohmann::json recorded = json.value("recordedAs", nlohmann::json());
        recorded.is_object()) {
      release.recorded = ReleaseKey{json_text(recorded, "namespace"),
                                    json_text(recorded, "name"),
                                    number_of(recorded, "revision")};
    }
    release.owner = owner_of(json, release);
  }
  // The namespace that the record names: its resources are there, wherever Helm keeps the record.
  release.target_namespace = release.recorded && !release.recorded->name_space.empty()
                                 ? release.recorded->name_space
                                 : release.name_space;
  release.odd = unusable(release, limits);
  return release;
}

template <typename Take>
bool each_of(const nlohmann::json& index, const char* key, const Take& take) {
  const auto list = index.find(key);
  if (list == index.end() || !list->is_array()) {
    return false;
  }
  std::for_each(list->begin(), list->end(), take);
  return true;
}

} // namespace

bool is_safe_namespace(std::string_view text) {
  return !text.empty() && text.size() <= k_namespace_limit_bytes && is_alphanumeric(text.front()) &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '-'; });
}

bool is_safe_release_name(std::string_view text) {
  return !text.empty() && text.size() <= k_name_limit_bytes && is_alphanumeric(text.front()) &&
         std::ranges::all_of(
             text, [](char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
}

std::string values_file(std::string_view name_space, std::string_view name, bool marked) {
  return std::string(name_space)
      .append("/")
      .append(name)
      .append(marked ? "@configmap.yaml" : ".yaml");
}

std::string raw_file(std::string_view name_space, std::string_view storage_object) {
  const std::size_t slash = storage_object.find('/');
  const std::string_view object =
      slash == std::string_view::npos ? std::string_view{} : storage_object.substr(slash + 1);
  if (!is_safe_namespace(name_space) || object.find('/') != std::string_view::npos) {
    return {};
  }
  std::string file = "raw/";
  file.append(name_space).append("/").append(object);
  file.append(storage_object.starts_with("configmap/") ? "@configmap" : "");
  return archive::check_entry_path(file) ? file : std::string{};
}

IndexedRelease indexed(const Release& release, std::string file) {
  const ReleaseKey& key = release.key;
  IndexedRelease entry;
  static_cast<ReleaseFacts&>(entry) = release;
  entry.name_space = key.name_space;
  entry.target_namespace = release.recorded.name_space;
  entry.name = key.name;
  entry.revision = key.revision;
  entry.file = std::move(file);
  entry.has_values = release.has_values;
  entry.storage_object = release.storage_object;
  if (release.recorded != key) {
    entry.recorded = release.recorded;
  }
  entry.owner = release.owner;
  return entry;
}

std::string unusable(const IndexedRelease& release, const Limits& limits) {
  if (!is_safe_namespace(release.name_space) || !is_safe_release_name(release.name)) {
    return "unsafe name: namespace '" + shown(release.name_space) + "', release '" +
           shown(release.name) + "'";
  }
  if (!archive::check_entry_path(release.file)) {
    return "unsafe name: its file '" + shown(release.file) + "'";
  }
  const auto too_large = [&](const char* words) {
    return std::string("too large: its ") + words + " has more than " +
           std::to_string(limits.max_text_bytes) + " bytes";
  };
  for (const Fact& fact : k_facts) {
    if ((release.*fact.text).size() > limits.max_text_bytes) {
      return too_large(fact.words);
    }
  }
  return release.storage_object.size() > limits.max_text_bytes ? too_large("storage object")
                                                               : std::string();
}

std::string entry_json(const IndexedRelease& release) {
  Json json{
      {"namespace", release.name_space}, {"name", release.name}, {"revision", release.revision}};
  for (const Fact& fact : k_facts) {
    if (fact.text != &ReleaseFacts::deleted || !release.deleted.empty()) {
      (fact.in_chart ? json["chart"] : json)[fact.key] = release.*fact.text;
    }
  }
  json["file"] = release.file;
  json["hasValues"] = release.has_values;
  json["storage"] = release.storage_object;
  if (release.recorded) {
    json["recordedAs"] = {{"namespace", release.recorded->name_space},
                          {"name", release.recorded->name},
                          {"revision", release.recorded->revision}};
  }
  if (release.owner) {
    json["owner"] = {{"kind", release.owner->kind},
                     {"namespace", release.owner->name_space},
                     {"name", release.owner->name}};
  } else if (guessed_owner(release)) {
    json["owner"] = nullptr;
  }
  return indented(json);
}

std::string entry_json(const IndexedObject& object) {
  Json json{{"namespace", object.name_space},
            {"storage", object.storage_object},
            {"message", object.message}};
  if (!object.file.empty()) {
    json["file"] = object.file;
  }
  return indented(json);
}

SecretBytes index_json(const Index& index, SystemTime collected_at) {
  const bool has_raw = std::any_of(index.undecodable.begin(),
                                   index.undecodable.end(),
                                   [](const auto& object) { return !object.file.empty(); });
  SecretBuffer out;
  out.append("{\n  \"format\": \"");
  out.append(has_raw ? k_format_v2 : k_format_v1);
  out.append("\",\n  \"collectedAt\": \"");
  out.append(format_rfc3339(collected_at));
  out.append("\"");
  append_list(out, "releases", index.releases);
  append_list(out, "undecodable", index.undecodable);
  if (index.unlisted != 0) {
    out.append(",\n  \"unlisted\": ");
    out.append(std::to_string(index.unlisted));
  }
  out.append("\n}\n");
  return std::move(out).take();
}

Result<Index> parse_index(std::string_view text, const Limits& limits) {
  const nlohmann::json json = json_of(text);
  if (!json.is_object()) {
    return damaged("not JSON");
  }
  const std::string format = json_text(json, "format");
  if (format != k_format_v1 && format != k_format_v2) {
    return Error{ErrorCode::unsupported,
                 "index.json: a format that this version does not know",
                 "use a newer railiance-restore"};
  }
  Index index;
  if (!each_of(json, "releases", [&](const nlohmann::json& entry) {
        index.releases.push_back(release_of(entry, limits));
      })) {
    return damaged("it lists no releases");
  }
  each_of(json, "undecodable", [&](const nlohmann::json& entry) {
    index.undecodable.push_back(
        {{json_text(entry, "namespace"), json_text(entry, "storage"), json_text(entry, "message")},
         json_text(entry, "file")});
  });
  index.unlisted = std::max<std::int64_t>(number_of(json, "unlisted"), 0);
  return index;
}

} // namespace rb::helm

#include "helm/index.hpp"

#include "terminal/terminal_text.hpp"

#include "archive/entry_path.hpp"
#include "base/json_text.hpp"
#include "base/secret_buffer.hpp"
#include "helm/names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace rb::helm {

namespace {

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

std::string text_of(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) {
    return {};
  }
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
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

/// As the backup found it; what it did not record is decided from what there is.
std::optional<api::ReleaseOwner> owner_of(const nlohmann::json& json,
                                          const IndexedRelease& release) {
  const nlohmann::json owner = json.value("owner", nlohmann::json());
  if (const std::string kind = text_of(owner, "kind"); !kind.empty()) {
    return api::ReleaseOwner{kind, text_of(owner, "namespace"), text_of(owner, "name")};
  }
  return api::find_owner({release.name_space, release.name, release.chart_version, {}, {}});
}

IndexedRelease release_of(const nlohmann::json& json, const Limits& limits) {
  IndexedRelease release;
  release.name_space = text_of(json, "namespace");
  release.name = text_of(json, "name");
  release.status = text_of(json, "status");
  release.app_version = text_of(json, "appVersion");
  release.updated = text_of(json, "updated");
  release.first_deployed = text_of(json, "firstDeployed");
  release.deleted = text_of(json, "deleted");
  release.file = text_of(json, "file");
  release.storage_object = text_of(json, "storage");
  if (json.is_object()) {
    release.revision = number_of(json, "revision");
    release.has_values = json.value("hasValues", nlohmann::json()) == true;
    const nlohmann::json chart = json.value("chart", nlohmann::json());
    release.chart_name = text_of(chart, "name");
    release.chart_version = text_of(chart, "version");
    if (const nlohmann::json recorded = json.value("recordedAs", nlohmann::json());
        recorded.is_object()) {
      release.recorded = ReleaseKey{text_of(recorded, "namespace"),
                                    text_of(recorded, "name"),
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

IndexedRelease indexed(const Release& release, std::string file) {
  const ReleaseKey& key = release.key;
  const ReleaseKey& recorded = release.recorded;
  const bool same = recorded.name_space == key.name_space && recorded.name == key.name &&
                    recorded.revision == key.revision;
  return {.name_space = key.name_space,
          .target_namespace = recorded.name_space,
          .name = key.name,
          .revision = key.revision,
          .status = release.status,
          .chart_name = release.chart_name,
          .chart_version = release.chart_version,
          .app_version = release.app_version,
          .updated = release.last_deployed,
          .first_deployed = release.first_deployed,
          .deleted = release.deleted,
          .file = std::move(file),
          .has_values = release.has_values,
          .storage_object = release.storage_object,
          .recorded = same ? std::nullopt : std::optional(recorded),
          .owner = release.owner};
}

std::string unusable(const IndexedRelease& release, const Limits& limits) {
  if (!is_safe_namespace(release.name_space) || !is_safe_release_name(release.name)) {
    return "unsafe name: namespace '" + shown(release.name_space) + "', release '" +
           shown(release.name) + "'";
  }
  if (!archive::check_entry_path(release.file)) {
    return "unsafe name: its file '" + shown(release.file) + "'";
  }
  const std::array texts{std::pair{"status", &release.status},
                         std::pair{"chart name", &release.chart_name},
                         std::pair{"chart version", &release.chart_version},
                         std::pair{"appVersion", &release.app_version},
                         std::pair{"last_deployed", &release.updated},
                         std::pair{"first_deployed", &release.first_deployed},
                         std::pair{"deleted", &release.deleted},
                         std::pair{"storage object", &release.storage_object}};
  for (const auto& [name, text] : texts) {
    if (text->size() > limits.max_text_bytes) {
      return std::string("too large: its ") + name + " has more than " +
             std::to_string(limits.max_text_bytes) + " bytes";
    }
  }
  return {};
}

std::string entry_json(const IndexedRelease& release) {
  Json json{
      {"namespace", release.name_space},
      {"name", release.name},
      {"revision", release.revision},
      {"status", release.status},
      {"chart", {{"name", release.chart_name}, {"version", release.chart_version}}},
      {"appVersion", release.app_version},
      {"updated", release.updated},
      {"firstDeployed", release.first_deployed},
  };
  if (!release.deleted.empty()) {
    json["deleted"] = release.deleted;
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
  const std::string format = text_of(json, "format");
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
    index.undecodable.push_back({text_of(entry, "namespace"),
                                 text_of(entry, "storage"),
                                 text_of(entry, "message"),
                                 text_of(entry, "file")});
  });
  index.unlisted = std::max<std::int64_t>(number_of(json, "unlisted"), 0);
  return index;
}

} // namespace rb::helm

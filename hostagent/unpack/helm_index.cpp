#include "unpack/helm_index.hpp"

#include "archive/entry_path.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::unpack {

namespace {

using Json = nlohmann::json;

constexpr std::string_view k_format = "railiance-backup/helm-values/v1";
constexpr std::size_t k_word_limit_bytes = 512;

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, "index.json: " + what, {}};
}

std::string text_of(const Json& object, const char* key) {
  if (!object.is_object()) {
    return {};
  }
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Printable, and nothing that a program would take for an option.
bool is_word(std::string_view text) {
  return text.size() <= k_word_limit_bytes && !text.starts_with('-') &&
         std::none_of(text.begin(), text.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte < 0x20 || byte == 0x7f;
         });
}

/// The namespace that the record names: its resources are there, wherever Helm keeps the record.
std::string target_of(const Json& json, const std::string& stored_in) {
  const auto recorded = json.is_object() ? json.find("recordedAs") : json.end();
  const std::string target = recorded == json.end() ? "" : text_of(*recorded, "namespace");
  return target.empty() ? stored_in : target;
}

/// As the backup found it; what it did not record is decided from what there is.
std::optional<api::ReleaseOwner> owner_of(const Json& json, const HelmRelease& release) {
  const auto owner = json.is_object() ? json.find("owner") : json.end();
  if (owner != json.end() && !text_of(*owner, "kind").empty()) {
    return api::ReleaseOwner{
        text_of(*owner, "kind"), text_of(*owner, "namespace"), text_of(*owner, "name")};
  }
  return api::find_owner({release.name_space, release.name, release.chart_version, {}, {}});
}

Result<HelmRelease> release_of(const Json& json) {
  HelmRelease release;
  release.name_space = text_of(json, "namespace");
  release.name = text_of(json, "name");
  release.target_namespace = target_of(json, release.name_space);
  release.status = text_of(json, "status");
  release.file = text_of(json, "file");
  if (const auto chart = json.is_object() ? json.find("chart") : json.end(); chart != json.end()) {
    release.chart_name = text_of(*chart, "name");
    release.chart_version = text_of(*chart, "version");
  }
  release.owner = owner_of(json, release);
  for (const std::string* const word : {&release.name_space, &release.name, &release.chart_name}) {
    if (word->empty() || !is_word(*word)) {
      return damaged("a release without a usable name, namespace or chart");
    }
  }
  if (!is_word(release.chart_version) || !archive::check_entry_path(release.file)) {
    return damaged(archive::printable(release.name) + " has a version or file that none has");
  }
  return release;
}

} // namespace

Result<HelmIndex> parse_helm_index(std::string_view json) {
  const Json index = Json::parse(json, nullptr, false);
  if (!index.is_object()) {
    return damaged("not JSON");
  }
  if (text_of(index, "format") != k_format) {
    return Error{ErrorCode::unsupported,
                 "index.json: a format that this version does not know",
                 "use a newer railiance-restore"};
  }
  const auto releases = index.find("releases");
  if (releases == index.end() || !releases->is_array()) {
    return damaged("it lists no releases");
  }
  HelmIndex parsed;
  for (const Json& json_release : *releases) {
    RB_TRY_ASSIGN(HelmRelease release, release_of(json_release));
    parsed.releases.push_back(std::move(release));
  }
  if (const auto failed = index.find("undecodable"); failed != index.end() && failed->is_array()) {
    parsed.undecodable = failed->size();
  }
  return parsed;
}

} // namespace rb::unpack

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

Result<HelmRelease> release_of(const Json& json) {
  HelmRelease release;
  release.name_space = text_of(json, "namespace");
  release.name = text_of(json, "name");
  release.status = text_of(json, "status");
  release.file = text_of(json, "file");
  if (const auto chart = json.is_object() ? json.find("chart") : json.end(); chart != json.end()) {
    release.chart_name = text_of(*chart, "name");
    release.chart_version = text_of(*chart, "version");
  }
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

/// Helm takes -f as a list with commas in the manner of CSV (pflag, StringSlice).
std::string helm_list_item(const std::string& text) {
  if (text.find_first_of(",\"") == std::string::npos) {
    return text;
  }
  std::string item = "\"";
  for (const char c : text) {
    item.append(c == '"' ? 2 : 1, c);
  }
  return item + "\"";
}

std::string path_in(const std::string& directory, const std::string& file) {
  const std::string base = directory.starts_with('-') ? "./" + directory : directory;
  return base + (base.ends_with('/') ? "" : "/") + file;
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

std::string upgrade_command(const HelmRelease& release, const std::string& directory) {
  std::string line = "helm upgrade --install " + shell_word(release.name) + " " +
                     shell_word(release.chart_name) + " --namespace " +
                     shell_word(release.name_space) + " --create-namespace";
  if (!release.chart_version.empty()) {
    line += " --version " + shell_word(release.chart_version);
  }
  return line + " -f " + shell_word(helm_list_item(path_in(directory, release.file)));
}

std::string shell_word(std::string_view word) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_./:@%+,").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) {
    return std::string(word);
  }
  std::string quoted = "'";
  for (const char c : word) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted + "'";
}

} // namespace rb::unpack

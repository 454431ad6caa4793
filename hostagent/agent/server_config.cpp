#include "agent/server_config.hpp"

#include "base/open_beneath.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

namespace rb::agent {

namespace {

constexpr std::size_t k_config_limit_bytes = std::size_t{1} << 20U;

/// k3s takes `true`, "true" and 1 alike; only scalars matter here.
std::string scalar(const YAML::Node& document, const char* key) {
  const YAML::Node value = document[key];
  return value && value.IsScalar() ? value.Scalar() : std::string();
}

/// As YAML 1.1 and k3s's own flags have it.
bool is_true(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word == "true" || word == "yes" || word == "on" || word == "y" || word == "1" ||
         word == "t";
}

void overlay(std::string& setting, const std::string& value) {
  if (!value.empty()) {
    setting = value;
  }
}

bool is_yaml_file(const std::filesystem::directory_entry& entry) {
  const auto extension = entry.path().extension();
  std::error_code ignored;
  return entry.is_regular_file(ignored) && (extension == ".yaml" || extension == ".yml");
}

std::vector<std::string> config_files(const std::string& config_dir) {
  const std::filesystem::path main = std::filesystem::path(config_dir) / "k3s" / "config.yaml";
  std::vector<std::string> dropped_in;
  std::error_code error;
  for (std::filesystem::directory_iterator it(main.string() + ".d", error), end;
       !error && it != end;
       it.increment(error)) {
    if (is_yaml_file(*it)) {
      dropped_in.push_back(it->path().string());
    }
  }
  std::sort(dropped_in.begin(), dropped_in.end());
  dropped_in.insert(dropped_in.begin(), main.string());
  return dropped_in;
}

} // namespace

Status merge_server_config(ServerConfig& config, std::string_view text, const std::string& path) {
  try {
    const YAML::Node document = YAML::Load(std::string(text));
    if (document.IsNull()) {
      return {};
    }
    if (!document.IsMap()) {
      return Error{ErrorCode::corrupt, path + ": not a YAML mapping", {}};
    }
    overlay(config.snapshot_dir, scalar(document, "etcd-snapshot-dir"));
    overlay(config.datastore_endpoint, scalar(document, "datastore-endpoint"));
    overlay(config.https_listen_port, scalar(document, "https-listen-port"));
    if (const std::string disabled = scalar(document, "disable-etcd"); !disabled.empty()) {
      config.etcd_disabled = is_true(disabled);
    }
    config.logs_to_file = config.logs_to_file || !scalar(document, "log").empty();
  } catch (const YAML::Exception& error) {
    const std::string line =
        error.mark.is_null() ? "" : ", line " + std::to_string(error.mark.line + 1);
    return Error{ErrorCode::corrupt, path + line + ": not valid YAML", {}};
  }
  return {};
}

Result<ServerConfig> read_server_config(const std::string& config_dir) {
  ServerConfig config;
  for (const std::string& path : config_files(config_dir)) {
    auto text = read_regular_text(path, k_config_limit_bytes);
    if (!text && text.error().code == ErrorCode::not_found) {
      continue;
    }
    if (!text) {
      return std::move(text).error();
    }
    RB_TRY(merge_server_config(config, *text, path));
  }
  return config;
}

std::string snapshot_directory(const std::string& data_dir, const std::string& configured) {
  const std::filesystem::path server = std::filesystem::path(data_dir) / "server";
  // An absolute path replaces what stands before it.
  return (configured.empty() ? server / "db" / "snapshots" : server / configured).string();
}

} // namespace rb::agent

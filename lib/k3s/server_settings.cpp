#include "k3s/server_settings.hpp"

#include "k3s/lines.hpp"

#include "base/json_fields.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>

namespace rb::k3s {

namespace {

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 7> k_short{{{"d", "data-dir"},
                                       {"t", "token"},
                                       {"s", "server"},
                                       {"c", "config"},
                                       {"i", "node-ip"},
                                       {"o", "write-kubeconfig"},
                                       {"l", "log"}}};

/// Source: k3s, the EnvVars of `server` and `agent`.
constexpr std::array<Pair, 29> k_variables{{
    {"K3S_URL", "server"},
    {"K3S_TOKEN", "token"},
    {"K3S_TOKEN_FILE", "token-file"},
    {"K3S_AGENT_TOKEN", "agent-token"},
    {"K3S_AGENT_TOKEN_FILE", "agent-token-file"},
    {"K3S_CLUSTER_SECRET", "cluster-secret"},
    {"K3S_DATA_DIR", "data-dir"},
    {"K3S_NODE_NAME", "node-name"},
    {"K3S_CONFIG_FILE", "config"},
    {"K3S_CLUSTER_INIT", "cluster-init"},
    {"K3S_DATASTORE_ENDPOINT", "datastore-endpoint"},
    {"K3S_DATASTORE_CAFILE", "datastore-cafile"},
    {"K3S_DATASTORE_CERTFILE", "datastore-certfile"},
    {"K3S_DATASTORE_KEYFILE", "datastore-keyfile"},
    {"K3S_KUBECONFIG_OUTPUT", "write-kubeconfig"},
    {"K3S_KUBECONFIG_MODE", "write-kubeconfig-mode"},
    {"K3S_KUBECONFIG_GROUP", "write-kubeconfig-group"},
    {"K3S_SUPERVISOR_PORT", "supervisor-port"},
    {"K3S_SECRETS_ENCRYPTION", "secrets-encryption"},
    {"K3S_SELINUX", "selinux"},
    {"K3S_RESOLV_CONF", "resolv-conf"},
    {"K3S_LB_SERVER_PORT", "lb-server-port"},
    {"K3S_DEBUG", "debug"},
    {"K3S_VPN_AUTH", "vpn-auth"},
    {"K3S_VPN_AUTH_FILE", "vpn-auth-file"},
    {"K3S_SYSTEM_DEFAULT_REGISTRY", "system-default-registry"},
    {"AWS_ACCESS_KEY_ID", "etcd-s3-access-key"},
    {"AWS_SECRET_ACCESS_KEY", "etcd-s3-secret-key"},
    {"AWS_SESSION_TOKEN", "etcd-s3-session-token"},
}};

constexpr std::array<std::string_view, 8> k_secrets{"token",
                                                    "agent-token",
                                                    "cluster-secret",
                                                    "datastore-endpoint",
                                                    "etcd-s3-access-key",
                                                    "etcd-s3-secret-key",
                                                    "etcd-s3-session-token",
                                                    "vpn-auth"};

/// Flags that k3s takes several of, besides those that end with "-arg".
constexpr std::array<std::string_view, 13> k_lists{"cluster-cidr",
                                                   "service-cidr",
                                                   "cluster-dns",
                                                   "tls-san",
                                                   "node-ip",
                                                   "node-external-ip",
                                                   "node-internal-dns",
                                                   "node-external-dns",
                                                   "node-label",
                                                   "node-taint",
                                                   "disable",
                                                   "no-deploy",
                                                   "image-service-endpoint"};

bool is_list(std::string_view flag) {
  return flag.ends_with("-arg") || is_among(k_lists, flag);
}

/// An own value may begin with a dash there: "--kubelet-arg --v=2".
bool takes_any_value(std::string_view flag) {
  return flag.ends_with("-arg");
}

bool is_rank(const Setting& setting, int rank) {
  switch (setting.origin) {
  case Origin::node:
    return rank == 0;
  case Origin::config:
  case Origin::command_line:
    return rank == 1;
  case Origin::environment:
    return rank == 2;
  }
  return false;
}

constexpr std::size_t k_hash_length = 64;
constexpr const char* k_place = "annotation k3s.io/node-args";

/// k3s puts the directory of its own programs into K3S_DATA_DIR for itself: <data-dir>/data/<hash>.
bool is_of_programs(std::string_view path) {
  const std::string_view name = base_name(path);
  return name.size() == k_hash_length && path.ends_with("/data/" + std::string(name)) &&
         std::ranges::all_of(name, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

std::vector<std::string> words_of(const std::string& args) {
  std::vector<std::string> words;
  const auto json = json_of(args);
  if (json.is_array()) {
    for (const auto& word : json) {
      words.push_back(word.is_string() ? word.get<std::string>() : std::string());
    }
  }
  return words;
}

/// A flag that stands alone is on.
std::vector<std::string> compared(std::vector<std::string> values) {
  std::ranges::replace(values, std::string(), std::string("true"));
  return values;
}

} // namespace

void ServerSettings::add(std::string flag, std::string value, Origin origin) {
  m_all.push_back({std::move(flag), std::move(value), origin, {}});
}

std::vector<Setting> ServerSettings::of(std::string_view flag) const {
  std::vector<Setting> found;
  for (int rank = 0; rank < 3 && found.empty(); ++rank) {
    for (const Setting& setting : m_all) {
      if (setting.flag == flag && is_rank(setting, rank)) {
        found.push_back(setting);
      }
    }
  }
  std::ranges::stable_sort(found, {}, &Setting::origin);
  if (!is_list(flag) && found.size() > 1) {
    found.erase(found.begin(), found.end() - 1);
  }
  return found;
}

std::string ServerSettings::value(std::string_view flag) const {
  const std::vector<Setting> found = of(flag);
  return found.empty() ? std::string() : found.back().value;
}

std::vector<std::string> ServerSettings::values(std::string_view flag) const {
  std::vector<std::string> all;
  for (const Setting& setting : of(flag)) {
    all.push_back(setting.value);
  }
  return all;
}

bool ServerSettings::is_on(std::string_view flag) const {
  constexpr std::array<std::string_view, 6> k_off{"false", "0", "f", "F", "FALSE", "False"};
  return has(flag) && !is_among(k_off, value(flag));
}

std::string data_dir_of(const ServerSettings& settings) {
  std::string path = settings.value("data-dir");
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path.starts_with('/') && path.size() > 1 ? path : k_usual_data_dir;
}

std::string kubeconfig_of(const ServerSettings& settings) {
  std::string path = settings.value("write-kubeconfig");
  return path.starts_with('/') ? path : k_usual_kubeconfig;
}

std::string long_name(std::string_view flag) {
  const auto* const found = std::ranges::find(k_short, flag, &Pair::first);
  return std::string(found == k_short.end() ? flag : found->second);
}

bool is_secret(std::string_view flag) {
  return is_among(k_secrets, flag);
}

std::optional<std::string> sqlite_file_of(std::string_view endpoint) {
  // Of kine: its SQLite driver, under two names.
  for (const std::string_view scheme : {k_sqlite_endpoint, std::string_view("litestream://")}) {
    if (endpoint.starts_with(scheme)) {
      std::string_view file = endpoint.substr(scheme.size());
      file = file.substr(0, file.find('?'));
      constexpr std::string_view k_uri = "file:";
      file.remove_prefix(file.starts_with(k_uri) ? k_uri.size() : 0);
      return std::string(file);
    }
  }
  const bool names_none = endpoint.find("://") == std::string_view::npos;
  const bool is_known = !endpoint.empty() && endpoint != k_masked && !is_embedded_etcd(endpoint);
  return names_none && is_known ? std::optional(std::string()) : std::nullopt;
}

bool is_embedded_etcd(std::string_view endpoint) {
  return endpoint.substr(0, endpoint.find(':')) == k_etcd_endpoint;
}

std::vector<Setting> settings_of_arguments(const std::vector<std::string>& arguments,
                                           Origin origin,
                                           const std::string& place) {
  std::vector<Setting> settings;
  for (auto word = arguments.begin(); word != arguments.end(); ++word) {
    const std::size_t begin = word->find_first_not_of('-');
    if (!word->starts_with('-') || begin == std::string::npos) {
      continue;
    }
    const std::size_t equals = word->find('=', begin);
    Setting setting{long_name(word->substr(begin, equals - begin)), {}, origin, place};
    const auto next = word + 1;
    if (equals != std::string::npos) {
      setting.value = word->substr(equals + 1);
    } else if (next != arguments.end() &&
               (!next->starts_with('-') || takes_any_value(setting.flag))) {
      setting.value = *next;
      word = next;
    }
    settings.push_back(std::move(setting));
  }
  return settings;
}

std::string flag_of_variable(std::string_view variable) {
  const auto* const found = std::ranges::find(k_variables, variable, &Pair::first);
  return std::string(found == k_variables.end() ? std::string_view() : found->second);
}

std::string node_key(const std::string& node_name) {
  return node_name.empty() ? std::string() : "/registry/minions/" + node_name;
}

std::vector<Setting> settings_of_node(const NodeArguments& node) {
  std::vector<std::string> words = words_of(node.args);
  const auto server = std::ranges::find(words, "server");
  if (server == words.end()) {
    return {};
  }
  words.erase(words.begin(), server + 1);
  std::vector<Setting> settings = settings_of_arguments(words, Origin::node, k_place);
  const auto env = json_of(node.env);
  if (!env.is_object()) {
    return settings;
  }
  for (const auto& [name, value] : env.items()) {
    const std::string flag = flag_of_variable(name);
    const bool named = std::ranges::find(settings, flag, &Setting::flag) != settings.end();
    if (flag.empty() || named || !value.is_string()) {
      continue;
    }
    const auto text = value.get<std::string>();
    if (!text.empty() && !is_of_programs(text)) {
      settings.push_back({flag, text, Origin::node, "annotation k3s.io/node-env"});
    }
  }
  return settings;
}

void lay_over_node(ServerSettings& settings, const NodeArguments& node) {
  ServerSettings of_node;
  std::set<std::string> flags;
  for (Setting& setting : settings_of_node(node)) {
    flags.insert(setting.flag);
    of_node.add(std::move(setting));
  }
  for (const std::string& flag : flags) {
    const bool masked = is_secret(flag) && settings.has(flag);
    if (masked || compared(of_node.values(flag)) == compared(settings.values(flag))) {
      continue; // the files say the same, and where
    }
    for (Setting& setting : of_node.of(flag)) {
      setting.value = is_secret(flag) ? std::string(k_masked) : setting.value;
      settings.add(std::move(setting));
    }
  }
}

} // namespace rb::k3s

#include "k3s/host_settings.hpp"

#include "k3s/lines.hpp"
#include "k3s/named_files.hpp"
#include "k3s/service.hpp"
#include "k3s/token.hpp"

#include "base/secret_bytes.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

namespace rb::k3s {

namespace {

constexpr std::array<std::string_view, 11> k_true{
    "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array<std::string_view, 11> k_false{
    "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> k_null{"", "~", "null", "Null", "NULL"};

/// `digits` as a number of Go, printed by it: 0123456789, which is no octal number, is
/// 1.23456789e+08. Nothing where YAML has no number of that form.
std::optional<std::string> as_float(const std::string& digits) {
  constexpr std::string_view k_digits = "0123456789";
  std::string_view rest = digits;
  rest.remove_prefix(rest.starts_with('-') || rest.starts_with('+') ? 1 : 0);
  const std::size_t mantissa = std::min(rest.find_first_of("eE"), rest.size());
  std::string_view exponent = rest.substr(std::min(mantissa + 1, rest.size()));
  exponent.remove_prefix(exponent.starts_with('-') || exponent.starts_with('+') ? 1 : 0);
  std::string whole(rest.substr(0, mantissa));
  whole.erase(std::min(whole.find('.'), whole.size()), 1);
  const bool is_number = !whole.empty() && whole.find_first_not_of(k_digits) == std::string::npos &&
                         exponent.find_first_not_of(k_digits) == std::string_view::npos &&
                         exponent.empty() == (mantissa == rest.size());
  errno = 0;
  const double value = is_number ? std::strtod(digits.c_str(), nullptr) : 0;
  if (!is_number || std::isinf(value)) {
    return std::nullopt;
  }
  constexpr double k_least = 1e-4; // Go's: what lies between is written without an exponent
  constexpr double k_most = 1e6;
  const double size = std::abs(value);
  const bool plain = size == 0 || (size >= k_least && size < k_most);
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(),
                                 text.data() + text.size(),
                                 value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  return std::string(text.data(), end.ptr);
}

/// A plain scalar as yaml.v2 resolves it, printed by Go: 0644 is 420, 0x1f is 31.
std::string as_number(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  const std::size_t sign = digits.starts_with('-') || digits.starts_with('+') ? 1 : 0;
  std::string_view rest = std::string_view(digits).substr(sign);
  int base = 10;
  constexpr std::array<std::pair<std::string_view, int>, 6> k_bases{
      {{"0x", 16}, {"0X", 16}, {"0b", 2}, {"0B", 2}, {"0o", 8}, {"0O", 8}}};
  for (const auto& [prefix, value] : k_bases) {
    if (rest.starts_with(prefix)) {
      base = value;
      rest.remove_prefix(2);
    }
  }
  if (base == 10 && rest.size() > 1 && rest.front() == '0') {
    base = 8;
    rest.remove_prefix(1);
  }
  if (!rest.empty() && std::isxdigit(static_cast<unsigned char>(rest.front())) != 0) {
    const std::string number = digits.substr(0, sign) + std::string(rest);
    char* end = nullptr;
    errno = 0;
    const long long value = std::strtoll(number.c_str(), &end, base);
    if (errno == 0 && *end == '\0') {
      return std::to_string(value);
    }
    errno = 0;
    const unsigned long long large = std::strtoull(number.c_str(), &end, base);
    if (sign == 0 && errno == 0 && *end == '\0') {
      return std::to_string(large);
    }
  }
  return as_float(digits).value_or(std::string(text));
}

/// A scalar as k3s puts it behind "--key=": without the blanks around it (a block scalar ends with
/// a line feed). A quoted one is a string.
std::string scalar(const YAML::Node& node) {
  if (!node.IsScalar()) {
    return {};
  }
  std::string text(trimmed(node.Scalar()));
  if (node.Tag() != "?") {
    return text;
  }
  if (is_among(k_true, text)) {
    return "true";
  }
  if (is_among(k_false, text)) {
    return "false";
  }
  if (is_among(k_null, text)) {
    return {};
  }
  return as_number(text);
}

std::vector<std::string> values_of(const YAML::Node& node) {
  if (!node.IsSequence()) {
    return {scalar(node)};
  }
  std::vector<std::string> values;
  for (const YAML::Node& item : node) {
    values.push_back(scalar(item));
  }
  return values;
}

void overlay(std::vector<Setting>& settings,
             std::string key,
             const std::vector<std::string>& values,
             const std::string& path) {
  const bool appends = key.ends_with('+');
  if (appends) {
    key.pop_back();
  }
  key = long_name(key);
  if (!appends) {
    std::erase_if(settings, [&](const Setting& setting) { return setting.flag == key; });
  }
  for (const std::string& value : values) {
    settings.push_back({key, value, Origin::config, path});
  }
}

/// A quoted "<<" is a key like others.
bool is_merge_key(const YAML::Node& key) {
  return key.Scalar() == "<<" && (key.Tag() == "?" || key.Tag() == "tag:yaml.org,2002:merge");
}

/// What k3s's YAML reader takes behind a merge key; with anything else k3s does not start.
bool can_be_merged(const YAML::Node& value) {
  return value.IsMap() ||
         (value.IsSequence() && std::all_of(value.begin(), value.end(), [](const YAML::Node& one) {
            return one.IsMap();
          }));
}

/// What a merge key names is not laid over: yaml.v2 drops it where a mapping becomes a MapSlice,
/// which is how k3s reads the file. Throws YAML::Exception.
void overlay_map(std::vector<Setting>& settings, const YAML::Node& map, const std::string& path) {
  for (const auto& pair : map) {
    if (!pair.first.IsScalar()) {
      continue;
    }
    if (!is_merge_key(pair.first)) {
      overlay(settings, pair.first.Scalar(), values_of(pair.second), path);
    } else if (!can_be_merged(pair.second)) {
      throw YAML::ParserException(pair.first.Mark(), "map merge requires map or sequence of maps");
    }
  }
}

bool is_yaml_name(std::string name) {
  std::ranges::transform(
      name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

/// The files that count, in their order: `main` where it is there, and those of `main`.d.
std::vector<std::string> config_files(const HostFiles& files, const std::string& main) {
  std::vector<std::string> paths{main};
  for (const std::string& name : files.list(main + ".d")) {
    if (is_yaml_name(name)) {
      paths.push_back(main + ".d/" + name);
    }
  }
  return paths;
}

constexpr const char* k_variable_config = "K3S_CONFIG_FILE";

void wipe_text(std::string& text) {
  auto* const bytes = reinterpret_cast<std::uint8_t*>(text.data());
  wipe(MutableByteView(bytes, text.size()));
  text.clear();
}

/// Of a datastore-endpoint of SQLite, or of the embedded etcd; empty: of another one, or of another
/// flag.
std::string open_endpoint(const Setting& setting) {
  if (setting.flag != "datastore-endpoint") {
    return {};
  }
  if (is_embedded_etcd(setting.value)) {
    return std::string(k_etcd_endpoint);
  }
  const auto file = sqlite_file_of(setting.value);
  return file ? std::string(k_sqlite_endpoint) + *file : std::string();
}

/// Of several the one that counts: settings come in the order in which k3s takes them, and a
/// variable counts where neither files nor the command line have a token. One that is left behind
/// by a rotation is no token of this server.
void note_token(const Setting& setting, HostSettings& read) {
  if (setting.origin == Origin::environment && !read.tokens.empty()) {
    return;
  }
  read.tokens.clear();
  read.tokens.push_back({setting.place + ": token", token_hash(setting.value), {}});
}

/// Of a secret the setting stays, masked, and of a token its hash. That a datastore is SQLite, and
/// in which file, is none.
void take(Setting setting, HostSettings& read) {
  if (std::string kept = open_endpoint(setting); !kept.empty()) {
    wipe_text(setting.value); // what is not kept may be a password
    setting.value = std::move(kept);
  } else if (is_secret(setting.flag) && !setting.value.empty()) {
    if (setting.flag == "token" && setting.value != k_masked) {
      note_token(setting, read);
    }
    wipe_text(setting.value);
    setting.value = k_masked;
  }
  read.settings.add(std::move(setting));
}

/// A token file goes before any token (k3s, pkg/cli/server). It may be server/token itself: that is
/// no second opinion, and on a bare host not there yet.
void read_token_file(const HostFiles& files, HostSettings& read) {
  const std::vector<Setting> named = read.settings.of("token-file");
  if (named.empty() || named.back().value.empty()) {
    return;
  }
  const Setting& setting = named.back();
  read.tokens.clear();
  if (setting.value.ends_with("/server/token")) {
    return;
  }
  auto text = files.read(setting.value);
  read.tokens.push_back({setting.place + ": token-file " + setting.value,
                         text ? token_hash(*text) : std::string(),
                         setting.value});
  if (text) {
    wipe_text(*text);
  }
}

void note_file(const std::string& path, HostSettings& read) {
  if (std::ranges::find(read.files, path) == read.files.end()) {
    read.files.push_back(path);
  }
}

/// The variable goes before the flag, and of several flags the first: k3s looks for them itself.
std::string config_path(const Service* service, const NodeArguments& node) {
  if (service != nullptr) {
    const auto variable = service->environment.find(k_variable_config);
    if (variable != service->environment.end() && !variable->second.empty()) {
      return variable->second;
    }
    for (const Setting& setting :
         settings_of_arguments(service->arguments, Origin::command_line, {})) {
      if (setting.flag == "config" && !setting.value.empty()) {
        return setting.value;
      }
    }
  }
  for (const Setting& setting : settings_of_node(node)) {
    if (setting.flag == "config" && setting.value.starts_with('/')) {
      return setting.value;
    }
  }
  return std::string(k_usual_config);
}

void read_config(const HostFiles& files, const std::string& main, HostSettings& read) {
  std::vector<Setting> merged;
  if (main.starts_with("http://") || main.starts_with("https://")) {
    return; // k3s fetches it; what stands there, only the Node says
  }
  for (const std::string& path : config_files(files, main)) {
    const auto text = files.read(path);
    if (!text) {
      continue;
    }
    note_file(path, read);
    const Status status = merge_config(merged, *text, path);
    if (!status && read.problem.empty()) {
      read.problem = status.error().message;
    }
  }
  for (Setting& setting : merged) {
    take(std::move(setting), read);
  }
}

/// Its files are collected: whoever knows the instance can start it by them.
void note_template(const HostFiles& files, HostSettings& read) {
  if (auto found = find_systemd_template(files)) {
    read.unit_template = found->name;
    std::ranges::for_each(found->files, [&](const std::string& path) { note_file(path, read); });
    for (auto& variable : found->environment) {
      wipe_text(variable.second);
    }
  }
}

void read_service(Service& service, HostSettings& read) {
  for (const std::string& path : service.files) {
    note_file(path, read);
  }
  for (Setting& setting :
       settings_of_arguments(service.arguments, Origin::command_line, service.place)) {
    take(std::move(setting), read);
  }
  for (auto& [name, value] : service.environment) {
    const std::string flag = flag_of_variable(name);
    if (!flag.empty() && !value.empty()) {
      const auto place = service.variable_places.find(name);
      take({flag,
            value,
            Origin::environment,
            place == service.variable_places.end() ? service.place : place->second},
           read);
    }
    wipe_text(value);
  }
}

} // namespace

bool ConfiguredToken::only_for_service() const {
  return hash.empty() && file.starts_with(k_credentials);
}

Status
merge_config(std::vector<Setting>& settings, std::string_view text, const std::string& path) {
  try {
    const YAML::Node document = YAML::Load(std::string(text));
    if (document.IsNull()) {
      return {};
    }
    if (!document.IsMap()) {
      return Error{ErrorCode::corrupt, path + ": not a YAML mapping", {}};
    }
    std::vector<Setting> merged = settings;
    overlay_map(merged, document, path);
    settings = std::move(merged);
  } catch (const YAML::Exception& error) { // its message may repeat a token
    const std::string line =
        error.mark.is_null() ? "" : ", line " + std::to_string(error.mark.line + 1);
    return Error{ErrorCode::corrupt, path + line + ": not valid YAML", {}};
  }
  return {};
}

void read_missing_tokens(const HostFiles& files, std::vector<ConfiguredToken>& tokens) {
  for (ConfiguredToken& token : tokens) {
    auto text = token.hash.empty() && !token.file.empty() ? files.read(token.file) : std::nullopt;
    if (text) {
      token.hash = token_hash(*text);
      wipe_text(*text);
    }
  }
}

HostSettings read_host_settings(const HostFiles& files, const NodeArguments& node) {
  HostSettings read;
  std::optional<Service> systemd = find_systemd_service(files);
  std::optional<Service> openrc = find_openrc_service(files);
  read.systemd_unit = systemd && !systemd->assumed ? systemd->name : "";
  read.unit_link = systemd ? systemd->link : "";
  if (!systemd || systemd->assumed) {
    note_template(files, read);
  }
  read.openrc_service = openrc ? openrc->name : "";
  std::optional<Service> runit = find_runit_service(files);
  std::optional<Service>& other = openrc ? openrc : runit;
  std::optional<Service>& service = other && (!systemd || systemd->assumed) ? other : systemd;
  const std::string main = config_path(service ? &*service : nullptr, node);
  read_config(files, main, read);
  if (service) {
    read.program = service->program;
    read_service(*service, read);
  }
  if (openrc) { // both are collected, whichever starts the server
    std::ranges::for_each(openrc->files, [&](const std::string& path) { note_file(path, read); });
  }
  lay_over_node(read.settings, node);
  read_token_file(files, read);
  return read;
}

} // namespace rb::k3s

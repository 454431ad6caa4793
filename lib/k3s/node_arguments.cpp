#include "k3s/node_arguments.hpp"

#include "base/json_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <set>

namespace rb::k3s {

namespace {

constexpr std::size_t k_hash_length = 64;
constexpr const char* k_place = "annotation k3s.io/node-args";

/// k3s puts the directory of its own programs into K3S_DATA_DIR for itself: <data-dir>/data/<hash>.
bool is_of_programs(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
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
  ServerSettings told;
  std::set<std::string> flags;
  for (Setting& setting : settings_of_node(node)) {
    flags.insert(setting.flag);
    told.add(std::move(setting));
  }
  for (const std::string& flag : flags) {
    const bool masked = is_secret(flag) && settings.has(flag);
    if (masked || compared(told.values(flag)) == compared(settings.values(flag))) {
      continue; // the files say the same, and where
    }
    for (Setting& setting : told.of(flag)) {
      setting.value = is_secret(flag) ? std::string(k_masked) : setting.value;
      settings.add(std::move(setting));
    }
  }
}

} // namespace rb::k3s

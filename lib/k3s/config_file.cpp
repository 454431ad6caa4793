#include "k3s/config_file.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace rb::k3s {

namespace {

constexpr std::array<std::string_view, 11> k_true{
    "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"};
constexpr std::array<std::string_view, 11> k_false{
    "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> k_null{"", "~", "null", "Null", "NULL"};

template <typename Names> bool holds(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

/// As Go's strconv.ParseInt(text, 0, 64) reads it: 0644 is 420, 0x1f is 31.
std::string as_integer(std::string_view text) {
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
  if (rest.empty() || std::isxdigit(static_cast<unsigned char>(rest.front())) == 0) {
    return std::string(text);
  }
  const std::string number = digits.substr(0, sign) + std::string(rest);
  char* end = nullptr;
  errno = 0;
  const long long value = std::strtoll(number.c_str(), &end, base);
  return errno == 0 && *end == '\0' ? std::to_string(value) : std::string(text);
}

/// A scalar as k3s puts it behind "--key=". A quoted one is a string.
std::string scalar(const YAML::Node& node) {
  if (!node.IsScalar()) {
    return {};
  }
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") {
    return text;
  }
  if (holds(k_true, text)) {
    return "true";
  }
  if (holds(k_false, text)) {
    return "false";
  }
  if (holds(k_null, text)) {
    return {};
  }
  return as_integer(text);
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

void overlay_map(std::vector<Setting>& settings, const YAML::Node& map, const std::string& path) {
  for (const auto& pair : map) {
    if (!pair.first.IsScalar()) {
      continue;
    }
    if (pair.first.Scalar() == "<<" && pair.second.IsMap()) {
      for (const auto& merged : pair.second) {
        if (merged.first.IsScalar()) {
          overlay(settings, merged.first.Scalar(), values_of(merged.second), path);
        }
      }
    } else {
      overlay(settings, pair.first.Scalar(), values_of(pair.second), path);
    }
  }
}

bool is_yaml_name(std::string name) {
  std::ranges::transform(
      name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

} // namespace

std::vector<std::string> config_files(const HostFiles& files, const std::string& main) {
  std::vector<std::string> paths{main};
  for (const std::string& name : files.list(main + ".d")) {
    if (is_yaml_name(name)) {
      paths.push_back(main + ".d/" + name);
    }
  }
  return paths;
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

} // namespace rb::k3s

#include "yaml_json.hpp"

#include <yaml-cpp/yaml.h>

namespace rb::test {

namespace {

nlohmann::json convert(const YAML::Node& node) {
  if (node.IsMap()) {
    nlohmann::json object = nlohmann::json::object();
    for (const auto& entry : node) {
      object[entry.first.as<std::string>()] = convert(entry.second);
    }
    return object;
  }
  if (node.IsSequence()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : node) {
      list.push_back(convert(item));
    }
    return list;
  }
  if (!node.IsScalar()) {
    return nullptr;
  }
  const bool quoted = node.Tag() == "!";
  const std::string text = node.Scalar();
  if (quoted || text.empty()) {
    return text;
  }
  if (text == "true" || text == "false") {
    return text == "true";
  }
  if (text.find_first_not_of("0123456789") == std::string::npos) {
    return std::stoll(text);
  }
  return text;
}

} // namespace

nlohmann::json json_from_yaml_file(const std::string& path) {
  return convert(YAML::LoadFile(path));
}

} // namespace rb::test

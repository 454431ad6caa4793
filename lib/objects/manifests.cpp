#include "objects/manifests.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <string>

namespace rb::objects {

namespace {

constexpr std::size_t k_most_levels = 100;

/// Booleans to a YAML 1.1 parser, strings to a YAML 1.2 one.
constexpr std::array<std::string_view, 16> k_ambiguous{"y",
                                                       "Y",
                                                       "yes",
                                                       "Yes",
                                                       "YES",
                                                       "on",
                                                       "On",
                                                       "ON",
                                                       "n",
                                                       "N",
                                                       "no",
                                                       "No",
                                                       "NO",
                                                       "off",
                                                       "Off",
                                                       "OFF"};

Error bad(const YAML::Mark& mark, std::string_view why) {
  const std::string line = mark.is_null() ? "" : "line " + std::to_string(mark.line + 1) + ": ";
  return {ErrorCode::corrupt, line + std::string(why), {}};
}

Result<nlohmann::json> scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() != "?") { // quoted, or a block
    return nlohmann::json(text);
  }
  if (text == "true" || text == "True" || text == "TRUE") {
    return nlohmann::json(true);
  }
  if (text == "false" || text == "False" || text == "FALSE") {
    return nlohmann::json(false);
  }
  if (std::ranges::find(k_ambiguous, text) != k_ambiguous.end()) {
    return bad(node.Mark(),
               "'" + text + "' needs quotes: it is a boolean to some, a text to others");
  }
  const nlohmann::json number = json_of(text);
  return number.is_number() ? number : nlohmann::json(text);
}

Result<nlohmann::json> value_of(const YAML::Node& node, std::size_t level);

Result<nlohmann::json> map_of(const YAML::Node& node, std::size_t level) {
  nlohmann::json object = nlohmann::json::object();
  for (const auto& entry : node) {
    if (!entry.first.IsScalar()) {
      return bad(entry.first.Mark(), "a key that is no text");
    }
    const std::string& key = entry.first.Scalar();
    if (object.contains(key)) {
      return bad(entry.first.Mark(), "a key stands twice");
    }
    RB_TRY_ASSIGN(object[key], value_of(entry.second, level + 1));
  }
  return object;
}

Result<nlohmann::json> value_of(const YAML::Node& node, std::size_t level) {
  if (level > k_most_levels) {
    return bad(node.Mark(), "nested too deeply");
  }
  if (node.IsMap()) {
    return map_of(node, level);
  }
  if (node.IsSequence()) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& item : node) {
      RB_TRY_ASSIGN(nlohmann::json value, value_of(item, level + 1));
      list.push_back(std::move(value));
    }
    return list;
  }
  return node.IsScalar() ? scalar(node) : Result<nlohmann::json>(nlohmann::json());
}

bool is_text(const nlohmann::json& object, const char* key) {
  return !json_text(object, key).empty();
}

bool is_object(const nlohmann::json& value) {
  return is_text(value, "apiVersion") && is_text(value, "kind") &&
         is_text(json_member(value, "metadata"), "name");
}

} // namespace

Result<std::vector<nlohmann::json>> objects_of_yaml(std::string_view text) {
  std::vector<nlohmann::json> objects;
  try {
    for (const YAML::Node& document : YAML::LoadAll(std::string(text))) {
      if (document.IsNull()) {
        continue;
      }
      RB_TRY_ASSIGN(nlohmann::json object, value_of(document, 0));
      if (!is_object(object)) {
        return bad(document.Mark(),
                   "no object with apiVersion, kind and metadata.name begins here");
      }
      objects.push_back(std::move(object));
    }
  } catch (const YAML::Exception& exception) {
    return bad(exception.mark, "not YAML: " + exception.msg);
  }
  return objects;
}

} // namespace rb::objects

#include "unpack/yaml.hpp"

#include <yaml-cpp/yaml.h>

#include <string>

namespace rb::unpack {

YamlKind yaml_kind(std::string_view text) {
  try {
    const auto documents = YAML::LoadAll(std::string(text));
    if (documents.size() > 1) {
      return YamlKind::invalid;
    }
    if (documents.empty()) {
      return YamlKind::null;
    }
    switch (documents.front().Type()) {
    case YAML::NodeType::Undefined:
      return YamlKind::invalid;
    case YAML::NodeType::Null:
      return YamlKind::null;
    case YAML::NodeType::Scalar:
      return YamlKind::scalar;
    case YAML::NodeType::Sequence:
      return YamlKind::sequence;
    case YAML::NodeType::Map:
      return YamlKind::map;
    }
  } catch (const std::exception&) { // its messages may quote the text
    return YamlKind::invalid;
  }
  return YamlKind::invalid;
}

} // namespace rb::unpack

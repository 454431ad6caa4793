#include "age/sops_map.hpp"

#include <optional>

namespace rb::age {

namespace {

// An anchor can make a map a part of itself.
constexpr std::size_t k_depth_limit = 16;

Error malformed(std::string what) {
  return {ErrorCode::invalid_argument, std::move(what), {}};
}

/// yaml-cpp's tag of a plain scalar is "?", that of a quoted one "!".
bool is_merge_key(const YAML::Node& key) {
  return key.IsScalar() && key.Scalar() == "<<" &&
         (key.Tag() == "?" || key.Tag().empty() || key.Tag() == "tag:yaml.org,2002:merge");
}

std::string line_of(const YAML::Node& node) {
  return node.Mark().is_null() ? "" : " in line " + std::to_string(node.Mark().line + 1);
}

/// Go compares the text of the keys, quoted or not.
Status check_duplicates(const YAML::Node& map) {
  std::set<std::string> keys;
  for (const auto& entry : map) {
    if (entry.first.IsScalar() && !keys.insert(entry.first.Scalar()).second) {
      return Error{ErrorCode::invalid_argument,
                   "the key " + entry.first.Scalar() + " stands there twice" + line_of(entry.first),
                   "SOPS refuses that, too: leave one of them"};
    }
  }
  return {};
}

} // namespace

Result<SopsMap> SopsMap::read(const YAML::Node& node, std::string_view what) {
  SopsMap map;
  RB_TRY(map.add(node, what, 0));
  return map;
}

YAML::Node SopsMap::find(const std::string& key) const {
  const auto found = m_values.find(key);
  return found == m_values.end() || found->second.IsNull() ? YAML::Node(YAML::NodeType::Undefined)
                                                           : found->second;
}

Status SopsMap::add(const YAML::Node& node, std::string_view what, std::size_t depth) {
  if (!node.IsMap()) {
    return malformed(std::string(what) + " is not a map" + line_of(node));
  }
  if (depth > k_depth_limit) {
    return malformed(std::string(what) + ": maps are merged too deeply");
  }
  RB_TRY(check_duplicates(node));
  std::optional<YAML::Node> merged;
  for (const auto& entry : node) {
    if (is_merge_key(entry.first)) {
      merged = entry.second;
    } else if (entry.first.IsScalar()) {
      m_values.emplace(entry.first.Scalar(), entry.second);
    }
  }
  return merged ? merge(*merged, what, depth + 1) : Status{};
}

Status SopsMap::merge(const YAML::Node& value, std::string_view what, std::size_t depth) {
  if (!value.IsSequence()) {
    return add(value, what, depth);
  }
  for (const YAML::Node& item : value) {
    RB_TRY(add(item, what, depth));
  }
  return {};
}

} // namespace rb::age

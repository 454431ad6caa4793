// A map of a .sops.yaml as SOPS's YAML reader (go.yaml.in/yaml/v3, decode.go) sees it: merge keys
// are resolved, duplicates are refused. Everything of such a file that is a map is read through
// this.
#pragma once

#include "base/result.hpp"

#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace rb::age {

class SopsMap {
public:
  /// `what` names the node in messages ("a creation rule"). A key of the map itself wins over a
  /// merged one, also when its value is null; of several merged maps the first wins. Errors:
  /// invalid_argument (no map; a key twice, with its line; a merge of what is no map).
  [[nodiscard]] static Result<SopsMap> read(const YAML::Node& node, std::string_view what);

  /// The value; an undefined node where there is none or it is null.
  [[nodiscard]] YAML::Node find(const std::string& key) const;

private:
  Status add(const YAML::Node& node, std::string_view what, std::size_t depth);
  Status merge(const YAML::Node& value, std::string_view what, std::size_t depth);

  std::map<std::string, YAML::Node> m_values;
};

} // namespace rb::age

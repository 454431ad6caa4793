#include "age/sops_rules.hpp"

#include <yaml-cpp/yaml.h>

#include <exception>

namespace rb::age {

namespace {

constexpr std::string_view k_white_space = " \t\r\n";

// Anchors can make a merge contain itself; nobody nests or lists more than this.
constexpr std::size_t k_merge_depth_limit = 8;
constexpr std::size_t k_recipient_limit = 1024;

Error malformed(std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(what), {}};
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(k_white_space);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(k_white_space) - begin + 1);
}

Status append_split(std::string_view text, std::vector<std::string>& recipients) {
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    if (item.empty()) {
      continue;
    }
    if (recipients.size() == k_recipient_limit) {
      return malformed("more than 1024 age recipients");
    }
    recipients.emplace_back(item);
  }
  return {};
}

/// A string, a list of strings, or nothing.
Status append_recipients(const YAML::Node& age, std::vector<std::string>& recipients) {
  if (!age || age.IsNull()) {
    return {};
  }
  if (age.IsScalar()) {
    return append_split(age.Scalar(), recipients);
  }
  if (!age.IsSequence()) {
    return malformed("age is neither a string nor a list");
  }
  for (const YAML::Node& item : age) {
    if (!item.IsScalar()) {
      return malformed("age holds an item that is not a string");
    }
    RB_TRY(append_split(item.Scalar(), recipients));
  }
  return {};
}

/// The recipients of a key group and of those merged into it. `visited` bounds the work, since
/// anchors may make the same group appear many times.
Status append_group(const YAML::Node& group,
                    std::size_t depth,
                    std::size_t& visited,
                    std::vector<std::string>& recipients) {
  if (!group.IsMap()) {
    return malformed("a key group is not a map");
  }
  if (depth > k_merge_depth_limit || ++visited > k_recipient_limit) {
    return malformed("key groups are merged too deeply");
  }
  RB_TRY(append_recipients(group["age"], recipients));
  const YAML::Node merge = group["merge"];
  if (!merge || merge.IsNull()) {
    return {};
  }
  if (!merge.IsSequence()) {
    return malformed("merge of a key group is not a list");
  }
  for (const YAML::Node& merged : merge) {
    RB_TRY(append_group(merged, depth + 1, visited, recipients));
  }
  return {};
}

Result<CreationRule> read_rule(const YAML::Node& node) {
  if (!node.IsMap()) {
    return malformed("a creation rule is not a map");
  }
  CreationRule rule;
  const YAML::Node path_regex = node["path_regex"];
  if (path_regex && !path_regex.IsNull()) {
    if (!path_regex.IsScalar()) {
      return malformed("path_regex is not a string");
    }
    // An empty one matches any path, in SOPS as in RE2.
    rule.path_regex = path_regex.Scalar();
  }
  const YAML::Node groups = node["key_groups"];
  if (!groups || groups.IsNull() || (groups.IsSequence() && groups.size() == 0)) {
    RB_TRY(append_recipients(node["age"], rule.age));
    return rule;
  }
  if (!groups.IsSequence()) {
    return malformed("key_groups is not a list");
  }
  rule.key_groups = groups.size();
  std::size_t visited = 0;
  for (const YAML::Node& group : groups) {
    RB_TRY(append_group(group, 0, visited, rule.age));
  }
  return rule;
}

Result<std::vector<CreationRule>> read_rules(const YAML::Node& root) {
  std::vector<CreationRule> rules;
  if (!root || root.IsNull()) {
    return rules;
  }
  if (!root.IsMap()) {
    return malformed("not a map at its top level");
  }
  const YAML::Node list = root["creation_rules"];
  if (!list || list.IsNull()) {
    return rules;
  }
  if (!list.IsSequence()) {
    return malformed("creation_rules is not a list");
  }
  for (const YAML::Node& node : list) {
    auto rule = read_rule(node);
    if (!rule) {
      return std::move(rule).error().within("creation rule " + std::to_string(rules.size() + 1));
    }
    rules.push_back(std::move(*rule));
  }
  return rules;
}

} // namespace

Result<std::vector<CreationRule>> read_creation_rules(std::string_view text) {
  try {
    return read_rules(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& exception) {
    const std::string where =
        exception.mark.is_null() ? "" : " in line " + std::to_string(exception.mark.line + 1);
    return malformed("not YAML" + where);
  } catch (const std::exception&) {
    return malformed("not YAML");
  }
}

} // namespace rb::age

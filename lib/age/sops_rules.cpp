#include "age/sops_yaml.hpp"
#include "age/typed_text.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <exception>
#include <map>
#include <set>

namespace rb::age {

namespace {

// Anchors can make a map or a merge contain itself; nobody nests or lists more than this.
constexpr std::size_t k_map_depth_limit = 16;
constexpr std::size_t k_merge_depth_limit = 8;
constexpr std::size_t k_recipient_limit = 1024;

constexpr const char* k_sops_too = "SOPS refuses that, too";

/// Limits of ours.
Error too_much(std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(what), {}};
}

/// Of what SOPS refuses.
Error malformed(std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(what), k_sops_too};
}

/// A map of a .sops.yaml as SOPS's YAML reader (go.yaml.in/yaml/v3, decode.go) sees it: merge keys
/// are resolved, duplicates are refused. Everything of such a file that is a map is read through
/// this.
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
  if (depth > k_map_depth_limit) {
    return too_much(std::string(what) + ": maps are merged too deeply");
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

/// The first thing wrong is the one that is said.
void note(CreationRule& rule, Error error) {
  if (!rule.problem) {
    rule.problem = std::move(error);
  }
}

void note(CreationRule& rule, std::string_view what) {
  note(rule, malformed(what));
}

// What SOPS makes of an empty item depends on where it stands (config.go, parseKeyField; age,
// MasterKeysFromRecipients).
enum class EmptyItem { skipped, refused };

void append_split(std::string_view text, EmptyItem empty, CreationRule& rule) {
  bool more = true;
  while (more) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
    if (rule.age.size() == k_recipient_limit) {
      return note(rule, too_much("more than 1024 age recipients"));
    }
    if (!item.empty()) {
      rule.age.emplace_back(item);
    } else if (empty == EmptyItem::refused) {
      note(rule, "age has an empty recipient: there is a comma too many");
    }
  }
}

/// The flat field `age` of a rule: a string, or a list whose items may hold commas. Whatever else
/// it is counts when the rule is the one.
void append_flat(const YAML::Node& age, CreationRule& rule) {
  if (age.IsScalar()) {
    return append_split(age.Scalar(), EmptyItem::skipped, rule);
  }
  if (!age.IsSequence()) {
    return note(rule, "age is neither a string nor a list");
  }
  std::string joined;
  for (std::size_t i = 0; i < age.size(); ++i) {
    if (!age[i].IsScalar()) {
      return note(rule, "age holds an item that is not a string");
    }
    joined += (i == 0 ? "" : ",") + age[i].Scalar();
  }
  if (!joined.empty()) {
    append_split(joined, EmptyItem::refused, rule);
  }
}

/// The field `age` of a key group: a list.
Status append_group_list(const YAML::Node& age, CreationRule& rule) {
  if (!age.IsSequence()) {
    return malformed("age of a key group is not a list");
  }
  for (const YAML::Node& item : age) {
    if (item.IsNull()) {
      continue;
    }
    if (!item.IsScalar()) {
      return malformed("age holds an item that is not a string");
    }
    if (!item.Scalar().empty()) {
      append_split(item.Scalar(), EmptyItem::refused, rule);
    }
  }
  return {};
}

/// The recipients of the groups that are merged into a key group, then its own. `visited` bounds
/// the work, since anchors may make the same group appear many times.
Status
append_group(const YAML::Node& node, std::size_t depth, std::size_t& visited, CreationRule& rule) {
  if (node.IsNull()) {
    return {};
  }
  if (depth > k_merge_depth_limit || ++visited > k_recipient_limit) {
    return too_much("key groups are merged too deeply");
  }
  RB_TRY_ASSIGN(const SopsMap group, SopsMap::read(node, "a key group"));
  if (const YAML::Node merge = group.find("merge")) {
    if (!merge.IsSequence()) {
      return malformed("merge of a key group is not a list");
    }
    for (const YAML::Node& merged : merge) {
      RB_TRY(append_group(merged, depth + 1, visited, rule));
    }
  }
  const YAML::Node age = group.find("age");
  return age ? append_group_list(age, rule) : Status{};
}

/// SOPS refuses a rule that says twice which values are encrypted.
void check_selectors(const SopsMap& map, CreationRule& rule) {
  constexpr std::array k_selectors = {"unencrypted_suffix",
                                      "encrypted_suffix",
                                      "unencrypted_regex",
                                      "encrypted_regex",
                                      "unencrypted_comment_regex",
                                      "encrypted_comment_regex"};
  const auto given = std::count_if(k_selectors.begin(), k_selectors.end(), [&](const char* name) {
    const YAML::Node value = map.find(name);
    return value && !(value.IsScalar() && value.Scalar().empty());
  });
  if (given > 1) {
    note(rule, "more than one of encrypted_regex, encrypted_suffix and their like");
  }
}

Result<CreationRule> read_rule(const YAML::Node& node) {
  if (node.IsNull()) { // a "-" alone: to SOPS a rule for every path that names nobody
    return CreationRule{};
  }
  RB_TRY_ASSIGN(const SopsMap map, SopsMap::read(node, "a creation rule"));
  CreationRule rule;
  if (const YAML::Node path_regex = map.find("path_regex")) {
    if (!path_regex.IsScalar()) {
      return malformed("path_regex is not a string");
    }
    // An empty one matches any path, in SOPS as in RE2.
    rule.path_regex = path_regex.Scalar();
  }
  check_selectors(map, rule);
  const YAML::Node groups = map.find("key_groups");
  if (!groups || (groups.IsSequence() && groups.size() == 0)) {
    if (const YAML::Node age = map.find("age")) {
      append_flat(age, rule);
    }
    return rule;
  }
  if (!groups.IsSequence()) {
    return malformed("key_groups is not a list");
  }
  rule.key_groups = groups.size();
  std::size_t visited = 0;
  for (const YAML::Node& group : groups) {
    RB_TRY(append_group(group, 0, visited, rule));
  }
  return rule;
}

Result<std::vector<CreationRule>> read_rules(const YAML::Node& root) {
  std::vector<CreationRule> rules;
  if (!root || root.IsNull()) {
    return rules;
  }
  RB_TRY_ASSIGN(const SopsMap map, SopsMap::read(root, "the top level"));
  const YAML::Node list = map.find("creation_rules");
  if (!list) {
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

std::string_view line_at(std::string_view text, int number) {
  for (; number > 0 && !text.empty(); --number) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  }
  return text.substr(0, text.find('\n'));
}

/// Why a parser gave up at that line (from 0), of what people trip over; empty: nothing that is
/// known.
std::string likely_yaml_cause(std::string_view text, int line) {
  const std::string_view at = line_at(text, line);
  const std::size_t indentation = std::min(at.find_first_not_of(" \t"), at.size());
  if (at.substr(0, indentation).find('\t') != std::string_view::npos) {
    return "there is a tab in its indentation: YAML takes blanks only";
  }
  const std::size_t quote = at.find('"');
  if (quote != std::string_view::npos && at.find('\\', quote) != std::string_view::npos) {
    return "within \"...\" a backslash begins an escape of YAML: write a regular expression in "
           "'...'";
  }
  const std::size_t colon = at.find(": ");
  if (colon != std::string_view::npos && at.find_first_of("*[{%@`!&", colon) == colon + 2) {
    return "a value that begins with " + std::string(1, at[colon + 2]) +
           " has a meaning of its own in YAML: put it in '...'";
  }
  return {};
}

Error not_yaml(std::string_view text, const YAML::Mark& mark) {
  if (mark.is_null()) {
    return malformed("not YAML");
  }
  const std::string cause = likely_yaml_cause(text, mark.line);
  return {ErrorCode::invalid_argument,
          "not YAML in line " + std::to_string(mark.line + 1),
          cause.empty() ? k_sops_too : cause};
}

} // namespace

Result<std::vector<CreationRule>> read_creation_rules(std::string_view text) {
  try {
    return read_rules(YAML::Load(std::string(text)));
  } catch (const YAML::Exception& exception) {
    return not_yaml(text, exception.mark);
  } catch (const std::exception&) {
    return malformed("not YAML");
  }
}

} // namespace rb::age

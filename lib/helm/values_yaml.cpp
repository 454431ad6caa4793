#include "helm/values_yaml.hpp"

#include "helm/json_reader.hpp"
#include "helm/scalars.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace rb::helm {

namespace {

/// The values of a release as a tree whose texts are wiped. Not nlohmann::json, which neither keeps
/// the digits of a number nor wipes its strings.
struct Value {
  JsonKind kind = JsonKind::null;
  std::string_view key;        ///< Decoded, in an object.
  std::string_view text;       ///< A string decoded; else number or literal as JSON writes it.
  std::vector<Value> children; ///< Of an object: sorted by key, no key twice.
};

/// Valid as long as the text that it was made from.
struct ValuesTree {
  Value root;
  std::vector<SecretBytes> decoded; ///< What `key` and `text` point to where it is not that text.
};

bool by_key(const Value& left, const Value& right) {
  return left.key < right.key;
}

void sort_and_keep_last(std::vector<Value>& members) {
  std::stable_sort(members.begin(), members.end(), by_key);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i + 1 < members.size() && members[i].key == members[i + 1].key) {
      continue;
    }
    if (kept != i) {
      members[kept] = std::move(members[i]);
    }
    ++kept;
  }
  members.resize(kept);
}

class TreeBuilder {
public:
  TreeBuilder(std::string_view json, const Limits& limits) : m_reader(json), m_limits(limits) {}

  Result<ValuesTree> build() {
    Status status = read(m_tree.root, 0);
    if (!status) {
      return std::move(status).error();
    }
    if (!m_reader.finish()) {
      return m_reader.error();
    }
    return std::move(m_tree);
  }

private:
  // The recursion is as deep as the data, which the limit bounds.
  Status read(Value& value, std::size_t depth) {
    if (++m_count > m_limits.max_values) {
      return too_large("more than " + std::to_string(m_limits.max_values) + " values");
    }
    value.kind = m_reader.kind();
    switch (value.kind) {
    case JsonKind::object:
    case JsonKind::list:
      if (depth == m_limits.max_depth) {
        return too_large("nested deeper than " + std::to_string(m_limits.max_depth));
      }
      return value.kind == JsonKind::object ? read_object(value, depth) : read_list(value, depth);
    case JsonKind::string:
      value.text = decode(m_reader.string());
      break;
    case JsonKind::number:
      value.text = m_reader.number();
      RB_TRY(check_range(value.text));
      break;
    case JsonKind::null:
    case JsonKind::boolean:
      value.text = m_reader.literal();
      break;
    case JsonKind::invalid:
      break;
    }
    return settle();
  }

  Status read_object(Value& value, std::size_t depth) {
    m_reader.open_object();
    std::string_view raw_key;
    while (m_reader.next_key(raw_key)) {
      Value& member = value.children.emplace_back();
      member.key = decode(raw_key);
      RB_TRY(read(member, depth + 1));
    }
    sort_and_keep_last(value.children);
    return settle();
  }

  Status read_list(Value& value, std::size_t depth) {
    m_reader.open_list();
    while (m_reader.next_item()) {
      RB_TRY(read(value.children.emplace_back(), depth + 1));
    }
    return settle();
  }

  std::string_view decode(std::string_view raw) {
    if (is_decoded(raw)) {
      return raw;
    }
    SecretBuffer buffer(raw.size());
    append_decoded(buffer, raw);
    return m_tree.decoded.emplace_back(std::move(buffer).take()).text();
  }

  [[nodiscard]] Status settle() const {
    return m_reader.failed() ? Status(m_reader.error()) : Status{};
  }

  static Status check_range(std::string_view number) {
    if (std::isinf(std::strtod(std::string(number).c_str(), nullptr))) {
      return Error{ErrorCode::corrupt, "bad json: a number out of range", {}};
    }
    return {};
  }

  static Error too_large(const std::string& why) {
    return {ErrorCode::unsupported, "too large: values " + why, {}};
  }

  JsonReader m_reader;
  const Limits& m_limits;
  ValuesTree m_tree;
  std::size_t m_count = 0;
};

/// A key given twice: the last one counts, as in Go. Errors: corrupt (not JSON; a number beyond
/// what a float64 holds, which Helm does not read either), unsupported (a limit).
Result<ValuesTree> parse_values(std::string_view json, const Limits& limits) {
  return TreeBuilder(json, limits).build();
}

constexpr std::size_t k_step = 2;

/// From this depth on everything stands on one line (flow style): indentation would make the text
/// grow with the square of the depth.
constexpr std::size_t k_block_depth_limit = 40;

/// A key that is followed by its colon on the same line may have 1,024 characters (YAML 1.2.2
/// section 8.2.2), escapes included; one of these bytes needs 6 of them at most.
constexpr std::size_t k_simple_key_limit_bytes = 128;

bool is_long_key(const Value& member) {
  return member.key.size() > k_simple_key_limit_bytes;
}

class Emitter {
public:
  explicit Emitter(BoundedText& out) : m_out(out) {}

  /// Of a member or an item whose introduction ("key:" or "-") was written already. `indent` is the
  /// column of that introduction.
  void block_value(const Value& value, std::size_t indent, bool in_list, std::size_t depth) {
    if (value.children.empty() || depth >= k_block_depth_limit) {
      if (value.kind == JsonKind::string && is_block(value.text)) {
        return literal_block(value.text, indent + k_step);
      }
      m_out.append(' ');
      value.kind == JsonKind::string ? string(value.text) : flow(value);
      return m_out.append('\n');
    }
    if (in_list) { // "- key: …" and "- - …"
      m_out.append(' ');
      return children(value, indent + k_step, true, depth);
    }
    m_out.append('\n');
    children(value, value.kind == JsonKind::list ? indent : indent + k_step, false, depth);
  }

  /// `on_line`: the first child continues a line.
  void children(const Value& value, std::size_t indent, bool on_line, std::size_t depth) {
    for (const Value& child : value.children) {
      if (!on_line) {
        m_out.append(indent, ' ');
      }
      on_line = false;
      if (value.kind == JsonKind::list) {
        m_out.append('-');
        block_value(child, indent, true, depth + 1);
      } else {
        member(child, indent, depth);
      }
    }
  }

private:
  void member(const Value& child, std::size_t indent, std::size_t depth) {
    if (is_long_key(child)) {
      m_out.append("? ");
      append_quoted(m_out, child.key);
      m_out.append('\n');
      m_out.append(indent, ' ');
      m_out.append(':');
      return block_value(child, indent, true, depth + 1);
    }
    is_plain_key(child.key) ? m_out.append(child.key) : append_quoted(m_out, child.key);
    m_out.append(':');
    block_value(child, indent, false, depth + 1);
  }

  void string(std::string_view text) {
    is_plain(text) ? m_out.append(text) : append_quoted(m_out, text);
  }

  void literal_block(std::string_view text, std::size_t indent) {
    const bool ends_line = text.ends_with('\n');
    m_out.append(ends_line ? " |\n" : " |-\n");
    if (ends_line) {
      text.remove_suffix(1);
    }
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      if (end != begin) {
        m_out.append(indent, ' ');
        m_out.append(text.substr(begin, end - begin));
      }
      m_out.append('\n');
      begin = end + 1;
    }
  }

  void flow(const Value& value) {
    switch (value.kind) {
    case JsonKind::object:
    case JsonKind::list:
      return flow_children(value);
    case JsonKind::string:
      return append_quoted(m_out, value.text);
    case JsonKind::number:
      return append_number(m_out, value.text);
    case JsonKind::null:
    case JsonKind::boolean:
    case JsonKind::invalid:
      return m_out.append(value.text);
    }
  }

  void flow_children(const Value& value) {
    const bool object = value.kind == JsonKind::object;
    m_out.append(object ? '{' : '[');
    std::string_view separator;
    for (const Value& child : value.children) {
      m_out.append(separator);
      separator = ", ";
      if (object) {
        m_out.append(is_long_key(child) ? "? " : "");
        append_quoted(m_out, child.key);
        m_out.append(": ");
      }
      flow(child);
    }
    m_out.append(object ? '}' : ']');
  }

  BoundedText& m_out;
};

Error too_large(std::size_t limit_bytes) {
  return {ErrorCode::unsupported,
          "too large: the values have more than " + std::to_string(limit_bytes) + " bytes",
          {}};
}

} // namespace

Result<SecretBytes> values_yaml(std::string_view config_json, const Limits& limits) {
  if (config_json.size() > limits.max_config_bytes) {
    return too_large(limits.max_config_bytes);
  }
  RB_TRY_ASSIGN(const ValuesTree tree, parse_values(config_json, limits));
  if (tree.root.kind != JsonKind::object && tree.root.kind != JsonKind::null) {
    return Error{ErrorCode::corrupt, "bad json: config is not an object", {}};
  }
  BoundedText out(config_json.size() + config_json.size() / 2 + 16, limits.max_yaml_bytes);
  if (tree.root.kind == JsonKind::null) {
    out.append("null\n");
  } else if (tree.root.children.empty()) {
    out.append("{}\n");
  } else {
    Emitter(out).children(tree.root, 0, false, 0);
  }
  if (out.overflowed()) {
    return too_large(limits.max_yaml_bytes);
  }
  return std::move(out).take();
}

} // namespace rb::helm

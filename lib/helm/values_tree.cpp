#include "helm/values_tree.hpp"

#include "base/secret_buffer.hpp"
#include "helm/json_string.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>

namespace rb::helm {

namespace {

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

} // namespace

Result<ValuesTree> parse_values(std::string_view json, const Limits& limits) {
  return TreeBuilder(json, limits).build();
}

} // namespace rb::helm

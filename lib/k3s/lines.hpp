// Small steps of reading text line by line. Private to this room.
#pragma once

#include "base/text.hpp"

#include <algorithm>
#include <string_view>

namespace rb::k3s {

/// The first line, without its end; `text` is behind it afterwards.
[[nodiscard]] inline std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// Of a path, its last component.
[[nodiscard]] inline std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

[[nodiscard]] inline bool holds(std::string_view text, std::string_view words) {
  return text.find(words) != std::string_view::npos;
}

/// `name` is one of `names`.
template <typename Names> [[nodiscard]] bool is_among(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

} // namespace rb::k3s

#pragma once

#include <string_view>

namespace rb::objects {

/// Of what a program wrote: the line that says why it ended.
[[nodiscard]] inline std::string_view last_line(std::string_view text) {
  while (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  const std::size_t line = text.rfind('\n');
  return line == std::string_view::npos ? text : text.substr(line + 1);
}

} // namespace rb::objects

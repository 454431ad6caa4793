// The last line of what a program wrote: where most say why they ended.
#pragma once

#include <string_view>

namespace rb {

/// Without the white space at its end.
[[nodiscard]] inline std::string_view last_line(std::string_view text) {
  text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
  return text.substr(text.rfind('\n') + 1);
}

} // namespace rb

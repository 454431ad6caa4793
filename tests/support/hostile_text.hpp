// Text that tries to upset a terminal or to deceive its reader, and the check that none of it came
// through.
#pragma once

#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace rb::test {

/// Colour, a new line, C1's CSI as a character and as a byte, bidi controls, zero width, a bell.
inline const std::string k_hostile_text = "x\x1b[31m\r\n\xc2\x9b"
                                          "2J\xe2\x80\xae\xe2\x81\xa6\xe2\x80\x8b\xd8\x9c\x07y";

/// All of it passes terminal_text() as it is, but for line ends and, on a terminal, our own
/// sequences.
[[nodiscard]] inline bool is_harmless_output(std::string text, bool terminal = false) {
  if (terminal) {
    for (const std::string ours :
         {"\r\x1b[K", "\x1b[1;31m", "\x1b[1;32m", "\x1b[1;33m", "\x1b[0m"}) {
      for (std::size_t at = text.find(ours); at != std::string::npos; at = text.find(ours)) {
        text.erase(at, ours.size());
      }
    }
  }
  std::erase(text, '\n');
  return terminal_text(text) == text;
}

} // namespace rb::test

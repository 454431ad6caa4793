// Sizes, ages and tables as people read them. Pure.
#pragma once

#include "terminal/terminal_text.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rb::restore {

/// "0 B", "1023 B", "1.0 KiB", "12.3 MiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// "7s", "3m", "5h", "12d"; "in 3m" for what lies ahead.
[[nodiscard]] std::string format_age(std::chrono::seconds age);

/// `text`, or "-" where there is none.
[[nodiscard]] std::string or_dash(const std::string& text);

/// A manifest may come from anywhere.
[[nodiscard]] inline std::string harmless(const std::string& text) {
  return terminal_text(text);
}

} // namespace rb::restore

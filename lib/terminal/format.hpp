// Sizes, durations, ages, counts and tables, as people write and read them. Pure.
#pragma once

#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rb {

/// "90", "90s", "15m", "1h30m", "2d"; at least one number. Errors: invalid_argument.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// "0 B", "1023 B", "1.0 KiB", "12.3 MiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// "0:07", "12:03", "1:02:03".
[[nodiscard]] std::string format_elapsed(std::chrono::seconds elapsed);

/// As kubectl prints ages: "7s", "3m", "5h", "12d"; "in 3m" for what lies ahead.
[[nodiscard]] std::string format_age(std::chrono::seconds age);

/// "1 release", "27 releases".
[[nodiscard]] std::string count_of(std::uint64_t count, std::string_view noun);

/// `text`, or "-" where there is none.
[[nodiscard]] std::string or_dash(const std::string& text);

/// Columns padded to their widest cell and parted by two spaces; no space at the end of a line;
/// each row ends in a line feed. Widths are in bytes. Rows may differ in length. No rows give "".
/// Each cell is terminal_text().
[[nodiscard]] std::string text_table(std::vector<std::vector<std::string>> rows);

} // namespace rb

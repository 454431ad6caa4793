// Sizes, durations and ages as people write and read them. Pure.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace rb::cli {

/// "90", "90s", "15m", "1h30m", "2d"; at least one number. Errors: invalid_argument.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// "0 B", "1023 B", "1.0 KiB", "12.3 MiB".
[[nodiscard]] std::string format_size(std::uint64_t bytes);

/// "0:07", "12:03", "1:02:03".
[[nodiscard]] std::string format_elapsed(std::chrono::seconds elapsed);

/// As kubectl prints ages: "7s", "3m", "5h", "12d".
[[nodiscard]] std::string format_age(std::chrono::seconds age);

} // namespace rb::cli

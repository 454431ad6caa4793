#include "terminal/format.hpp"

#include "terminal/terminal_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace rb {

namespace {

constexpr std::int64_t k_longest_seconds = 366LL * 24 * 3600;

/// Seconds of the unit, or 0.
std::int64_t unit_seconds(char unit) {
  switch (unit) {
  case 's':
    return 1;
  case 'm':
    return 60;
  case 'h':
    return 3600;
  case 'd':
    return 86400;
  default: // any other character is no unit
    return 0;
  }
}

std::string two_digits(std::int64_t number) {
  return (number < 10 ? "0" : "") + std::to_string(number);
}

} // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const Error refusal{ErrorCode::invalid_argument,
                      "'" + std::string(text) + "' is not a duration",
                      "write it like 90s, 15m, 1h30m or 2d"};
  std::int64_t total = 0;
  std::string_view rest = text;
  if (rest.empty()) {
    return refusal;
  }
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (error != std::errc{} || number < 0 || number > k_longest_seconds) {
      return refusal;
    }
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    const std::int64_t unit = rest.empty() ? 1 : unit_seconds(rest.front());
    if (unit == 0) {
      return refusal;
    }
    rest.remove_prefix(rest.empty() ? 0 : 1);
    total += number * unit;
    if (total > k_longest_seconds) {
      return refusal;
    }
  }
  return std::chrono::seconds(total);
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 5> k_units{"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while (value >= 1023.95 && unit + 1 < k_units.size()) {
    value /= 1024;
    ++unit;
  }
  const long long tenths = std::llround(value * 10);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " " + k_units.at(unit);
}

std::string format_elapsed(std::chrono::seconds elapsed) {
  const std::int64_t seconds = elapsed.count() < 0 ? 0 : elapsed.count();
  const std::string rest = two_digits(seconds % 60);
  if (seconds < 3600) {
    return std::to_string(seconds / 60) + ":" + rest;
  }
  return std::to_string(seconds / 3600) + ":" + two_digits(seconds / 60 % 60) + ":" + rest;
}

std::string format_age(std::chrono::seconds age) {
  if (age.count() < 0) {
    return "in " + format_age(-age);
  }
  const std::int64_t seconds = age.count();
  if (seconds < 120) {
    return std::to_string(seconds) + "s";
  }
  if (seconds < 120LL * 60) {
    return std::to_string(seconds / 60) + "m";
  }
  if (seconds < 48LL * 3600) {
    return std::to_string(seconds / 3600) + "h";
  }
  return std::to_string(seconds / 86400) + "d";
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string text_table(std::vector<std::vector<std::string>> rows) {
  for (auto& row : rows) {
    for (std::string& cell : row) {
      cell = terminal_text(cell);
    }
  }
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

} // namespace rb

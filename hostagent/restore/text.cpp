#include "restore/text.hpp"

#include <array>
#include <cstdio>

namespace rb::restore {

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would be printed as 1024.0.
  while (value >= 1023.95 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.1f %s", value, units.at(unit)));
  return text.data();
}

std::string format_age(std::chrono::seconds age) {
  constexpr std::chrono::seconds::rep k_hour = 3600;
  const bool ahead = age < std::chrono::seconds(0);
  const auto seconds = ahead ? -age.count() : age.count();
  const std::string text = seconds < 120           ? std::to_string(seconds) + "s"
                           : seconds < 2 * k_hour  ? std::to_string(seconds / 60) + "m"
                           : seconds < 48 * k_hour ? std::to_string(seconds / 3600) + "h"
                                                   : std::to_string(seconds / 86400) + "d";
  return ahead ? "in " + text : text;
}

std::string or_dash(const std::string& text) {
  return text.empty() ? "-" : text;
}

} // namespace rb::restore

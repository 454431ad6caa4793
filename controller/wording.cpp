#include "controller/wording.hpp"

#include <array>
#include <cstdio>

namespace rb::controller {

std::string count_of(std::uint64_t count, std::string_view noun) {
  return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

std::string size_of_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> k_units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " B";
  }
  double value = static_cast<double>(bytes) / 1024.0;
  std::size_t unit = 0;
  while (value >= 1024.0 && unit + 1 < k_units.size()) {
    value /= 1024.0;
    ++unit;
  }
  std::array<char, 32> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%.1f %s", value, k_units[unit]));
  return text.data();
}

} // namespace rb::controller

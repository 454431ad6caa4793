#include "controller/memory_limit.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace rb::controller {

std::optional<std::size_t> memory_limit(const std::string& cgroup_root) {
  for (const char* file : {"/memory.max", "/memory/memory.limit_in_bytes"}) {
    std::ifstream stream(cgroup_root + file);
    std::string text;
    stream >> text;
    std::size_t bytes = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), bytes);
    // "max", and the number near 2^63 with which version 1 says the same.
    if (code == std::errc{} && end == text.data() + text.size() &&
        bytes < (std::size_t{1} << 60U)) {
      return bytes;
    }
  }
  return std::nullopt;
}

helm::Budget inventory_budget(std::optional<std::size_t> limit) {
  return {
      std::min(helm::Budget{}.bytes, limit.value_or(k_default_memory_bytes) / k_inventory_share)};
}

} // namespace rb::controller

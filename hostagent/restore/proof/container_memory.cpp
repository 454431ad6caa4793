#include "restore/proof/container_memory.hpp"

#include "restore/proof/process_tree.hpp"

#include "base/fd.hpp"

#include <algorithm>
#include <charconv>

namespace rb::proof {

namespace {

constexpr std::size_t k_file_limit = std::size_t{64} << 10U;

/// The number at the beginning of `text`; nothing for "max".
std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  const auto text = read_text_file(path, k_file_limit);
  return text ? number(*text) : std::nullopt;
}

/// "key 4096" of memory.stat; 0 where there is no such line.
std::uint64_t stat_field(const std::string& path, const std::string& key) {
  const auto text = read_text_file(path, k_file_limit);
  if (!text) {
    return 0;
  }
  const std::string lines = "\n" + *text;
  const std::size_t at = lines.find("\n" + key + " ");
  return at == std::string::npos
             ? 0
             : number(std::string_view(lines).substr(at + key.size() + 2)).value_or(0);
}

std::optional<std::uint64_t>
headroom(std::optional<std::uint64_t> limit, std::uint64_t used, std::uint64_t cached) {
  if (!limit) {
    return std::nullopt;
  }
  const std::uint64_t held = used - std::min(used, cached);
  return *limit - std::min(*limit, held);
}

} // namespace

std::optional<std::uint64_t> container_headroom_bytes(const std::string& root) {
  if (const auto used = number_in(root + "/memory.current")) {
    return headroom(
        number_in(root + "/memory.max"), *used, stat_field(root + "/memory.stat", "file"));
  }
  const std::string first = root + "/memory";
  if (const auto used = number_in(first + "/memory.usage_in_bytes")) {
    return headroom(number_in(first + "/memory.limit_in_bytes"),
                    *used,
                    stat_field(first + "/memory.stat", "total_cache"));
  }
  return std::nullopt;
}

std::uint64_t usable_memory_bytes() {
  const std::uint64_t available = available_memory_bytes();
  const auto headroom = container_headroom_bytes();
  if (available == 0 || !headroom) {
    return headroom.value_or(available);
  }
  return std::min(available, *headroom);
}

} // namespace rb::proof

#include "restore/proof/memory.hpp"

#include "base/clock.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace rb::proof {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{64} << 10U;

/// The number at the beginning of `text`; nothing for "max".
template <typename Number = std::uint64_t> std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

/// The number in KiB behind `name` in a file of lines "Name:   123 kB", in bytes.
std::optional<std::uint64_t> kib_field(const std::string& path, std::string_view name) {
  const auto text = read_text_file(path, k_limit_bytes);
  if (!text) {
    return std::nullopt;
  }
  std::size_t at = text->starts_with(name) ? 0 : text->find("\n" + std::string(name));
  if (at == std::string::npos) {
    return std::nullopt;
  }
  at = text->find_first_of("0123456789", at + name.size());
  const auto kib =
      at == std::string::npos ? std::nullopt : number(std::string_view(*text).substr(at));
  return kib ? std::optional(*kib << 10U) : std::nullopt;
}

/// Field 4 of /proc/PID/stat, behind the name in parentheses, which may hold anything.
std::optional<pid_t> parent_of(const std::string& directory) {
  const auto stat = read_text_file(directory + "/stat", k_limit_bytes);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos || name_end + 4 >= stat->size()) {
    return std::nullopt;
  }
  return number<pid_t>(std::string_view(*stat).substr(name_end + 4));
}

std::multimap<pid_t, pid_t> children_by_parent(const std::string& proc) {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  for (std::filesystem::directory_iterator it(proc, error), end; !error && it != end;
       it.increment(error)) {
    const auto pid = number<pid_t>(it->path().filename().string());
    const auto parent = pid ? parent_of(it->path().string()) : std::nullopt;
    if (parent) {
      children.emplace(*parent, *pid);
    }
  }
  return children;
}

std::optional<std::uint64_t> number_in(const std::string& path) {
  const auto text = read_text_file(path, k_limit_bytes);
  return text ? number(*text) : std::nullopt;
}

/// "key 4096" of memory.stat; 0 where there is no such line.
std::uint64_t stat_field(const std::string& path, const std::string& key) {
  const auto text = read_text_file(path, k_limit_bytes);
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

std::uint64_t tree_memory_bytes(pid_t root, const std::string& proc) {
  const auto children = children_by_parent(proc);
  std::vector<pid_t> open{root};
  std::uint64_t sum = 0;
  while (!open.empty()) {
    const pid_t pid = open.back();
    open.pop_back();
    const std::string directory = proc + "/" + std::to_string(pid);
    auto bytes = kib_field(directory + "/smaps_rollup", "Pss:");
    if (!bytes) {
      bytes = kib_field(directory + "/status", "VmRSS:");
    }
    sum += bytes.value_or(0);
    const auto [begin, end] = children.equal_range(pid);
    for (auto it = begin; it != end; ++it) {
      open.push_back(it->second);
    }
  }
  return sum;
}

std::uint64_t available_memory_bytes(const std::string& proc) {
  return kib_field(proc + "/meminfo", "MemAvailable:").value_or(0);
}

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

MemoryWatch::MemoryWatch(const Cage& cage)
    : m_peak(cage.memory_bytes()), m_thread([this, &cage](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const std::uint64_t now = cage.memory_bytes();
          if (now > m_peak) {
            m_peak = now;
          }
          RealWaiter().wait(std::chrono::milliseconds(200), stop);
        }
      }) {}

} // namespace rb::proof

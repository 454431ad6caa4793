#include "restore/proof/process_tree.hpp"

#include "base/fd.hpp"

#include <charconv>
#include <filesystem>
#include <map>
#include <optional>
#include <vector>

namespace rb::proof {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{64} << 10U;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
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
  return kib ? std::optional(static_cast<std::uint64_t>(*kib) << 10U) : std::nullopt;
}

/// Field 4 of /proc/PID/stat, behind the name in parentheses, which may hold anything.
std::optional<pid_t> parent_of(const std::string& directory) {
  const auto stat = read_text_file(directory + "/stat", k_limit_bytes);
  const std::size_t name_end = stat ? stat->rfind(')') : std::string::npos;
  if (name_end == std::string::npos || name_end + 4 >= stat->size()) {
    return std::nullopt;
  }
  const auto parent = number(std::string_view(*stat).substr(name_end + 4));
  return parent ? std::optional(static_cast<pid_t>(*parent)) : std::nullopt;
}

std::multimap<pid_t, pid_t> children_by_parent(const std::string& proc) {
  std::multimap<pid_t, pid_t> children;
  std::error_code error;
  for (std::filesystem::directory_iterator it(proc, error), end; !error && it != end;
       it.increment(error)) {
    const auto pid = number(it->path().filename().string());
    const auto parent = pid ? parent_of(it->path().string()) : std::nullopt;
    if (parent) {
      children.emplace(*parent, static_cast<pid_t>(*pid));
    }
  }
  return children;
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

} // namespace rb::proof

// The memory of a process and all that descend from it, from /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace rb::proof {

/// Sum over `root` and its descendants of PSS (shared pages shared out; smaps_rollup, since Linux
/// 4.14), or of the resident size where that can't be read. Processes that end meanwhile count 0.
[[nodiscard]] std::uint64_t tree_memory_bytes(pid_t root, const std::string& proc = "/proc");

/// MemAvailable of /proc/meminfo in bytes; 0 where it can't be read.
[[nodiscard]] std::uint64_t available_memory_bytes(const std::string& proc = "/proc");

} // namespace rb::proof

// What the memory limit of this container leaves for a scratch server: all that runs in it counts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace rb::proof {

/// Bytes below the limit of the control group that is mounted at `root`, of version 2 or 1; cached
/// file pages do not count as used. Nothing: there is no limit, or none can be read.
[[nodiscard]] std::optional<std::uint64_t>
container_headroom_bytes(const std::string& root = "/sys/fs/cgroup");

/// The smaller of what the host has available and what the container may still take; 0: not known.
[[nodiscard]] std::uint64_t usable_memory_bytes();

} // namespace rb::proof

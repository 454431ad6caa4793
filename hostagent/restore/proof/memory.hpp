// How much memory a scratch server may take on this host, and how much it was seen with.
#pragma once

#include "restore/proof/cage.hpp"

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <thread>

namespace rb::proof {

/// Sum over `root` and its descendants of PSS (shared pages shared out; smaps_rollup, since Linux
/// 4.14), or of the resident size where that can't be read. Processes that end meanwhile count 0.
[[nodiscard]] std::uint64_t tree_memory_bytes(pid_t root, const std::string& proc = "/proc");

/// MemAvailable of /proc/meminfo in bytes; 0 where it can't be read.
[[nodiscard]] std::uint64_t available_memory_bytes(const std::string& proc = "/proc");

/// Bytes below the limit of the control group that is mounted at `root`, of version 2 or 1; cached
/// file pages do not count as used. Nothing: there is no limit, or none can be read.
[[nodiscard]] std::optional<std::uint64_t>
container_headroom_bytes(const std::string& root = "/sys/fs/cgroup");

/// The smaller of what the host has available and what the container may still take; 0: not known.
[[nodiscard]] std::uint64_t usable_memory_bytes();

/// Samples at once and then five times a second, from a thread of its own, until it is destroyed.
class MemoryWatch {
public:
  /// `cage` must outlive it.
  explicit MemoryWatch(const Cage& cage);

  [[nodiscard]] std::uint64_t peak_bytes() const { return m_peak; }

private:
  std::atomic<std::uint64_t> m_peak = 0;
  std::jthread m_thread; ///< Last: it uses the others.
};

} // namespace rb::proof

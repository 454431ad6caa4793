// The largest memory that a scratch server was seen with.
#pragma once

#include "restore/proof/cage.hpp"

#include <atomic>
#include <cstdint>
#include <thread>

namespace rb::proof {

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

#include "restore/proof/memory_watch.hpp"

#include "base/clock.hpp"

namespace rb::proof {

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

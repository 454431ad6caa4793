#include "restore/proof/memory_watch.hpp"

#include <condition_variable>
#include <mutex>

namespace rb::proof {

MemoryWatch::MemoryWatch(const Cage& cage)
    : m_peak(cage.memory_bytes()), m_thread([this, &cage](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          const std::uint64_t now = cage.memory_bytes();
          if (now > m_peak) {
            m_peak = now;
          }
          wake.wait_for(lock, stop, std::chrono::milliseconds(200), [] { return false; });
        }
      }) {}

} // namespace rb::proof

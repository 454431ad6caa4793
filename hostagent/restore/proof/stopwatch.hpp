// How long a step of a boot took.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <string>

namespace rb::proof {

/// Runs from its construction. `clock` must outlive it.
class Stopwatch {
public:
  explicit Stopwatch(const Clock& clock) : m_clock(&clock), m_begin(clock.steady_now()) {}
  [[nodiscard]] std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(m_clock->steady_now() - m_begin);
  }

private:
  const Clock* m_clock;
  std::chrono::steady_clock::time_point m_begin;
};

/// "4.2 s"
[[nodiscard]] inline std::string seconds_text(std::chrono::milliseconds time) {
  return std::to_string(time.count() / 1000) + "." + std::to_string(time.count() / 100 % 10) + " s";
}

} // namespace rb::proof

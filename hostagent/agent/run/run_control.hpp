// How a run in progress is told to stop, by others and by the time.
#pragma once

#include "base/result.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <stop_token>
#include <string_view>
#include <thread>

namespace rb::agent {

enum class StopCause {
  none,
  deadline,      ///< The order's deadline passed.
  order_deleted, ///< Nobody wants the run any more.
  shutting_down, ///< The agent was told to end.
};

/// Safe to share. The first cause stays.
class RunControl {
public:
  void stop(StopCause cause) {
    StopCause expected = StopCause::none;
    m_cause.compare_exchange_strong(expected, cause);
    m_source.request_stop();
  }
  [[nodiscard]] std::stop_token token() const { return m_source.get_token(); }
  [[nodiscard]] StopCause cause() const { return m_cause.load(); }

private:
  std::stop_source m_source;
  std::atomic<StopCause> m_cause{StopCause::none};
};

/// An error when the run was stopped in `step`: why. The reasons are deadline_exceeded and
/// interrupted.
[[nodiscard]] Status check_stop(const RunControl& control, std::string_view step);

/// Calls `ring` once `time` has passed, unless it goes first. The time runs on the steady clock: a
/// jump of the wall clock changes nothing.
class Timer {
public:
  Timer(std::chrono::seconds time, std::function<void()> ring);

private:
  std::jthread m_thread;
};

} // namespace rb::agent

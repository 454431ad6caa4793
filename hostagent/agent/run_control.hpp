// How a run in progress is told to stop, and why it was.
#pragma once

#include "agent/failure.hpp"

#include <atomic>
#include <stop_token>
#include <string_view>

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

/// Why the run ended in `step`; nothing when nobody stopped it.
[[nodiscard]] StepFailure stop_failure(StopCause cause, std::string_view step);

} // namespace rb::agent

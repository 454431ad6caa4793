// What to do after a failed call, and how long to wait before the next. Pure.
#pragma once

#include "base/error.hpp"
#include "kube/transport.hpp"

#include <chrono>

namespace rb::kube {

/// May a call of that method be sent again after this failure? True when the failure says that the
/// server did nothing (429, never reached), or when doing it twice is the same as once
/// (GET, PUT, DELETE) and the failure is a passing one. A 401 is not: the transport did that.
[[nodiscard]] bool may_resend(Method method, const Error& error);

struct BackoffPolicy {
  std::chrono::milliseconds first{800};
  std::chrono::milliseconds most{std::chrono::seconds(30)};
  std::chrono::milliseconds quiet{std::chrono::seconds(120)}; ///< Starts over after such a pause.
};

/// Doubles from `first` to `most`; the wait is drawn from [delay/2, delay]. Used by one thread.
class Backoff {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Backoff(BackoffPolicy policy = {}) : m_policy(policy), m_next(policy.first) {}

  /// The wait before the next attempt; never shorter than `at_least` (Retry-After; taken up to
  /// five minutes). `fraction` in [0, 1) is the jitter.
  [[nodiscard]] std::chrono::milliseconds
  next(TimePoint now, double fraction, std::chrono::seconds at_least = {});

  void reset() { m_next = m_policy.first; }

private:
  BackoffPolicy m_policy;
  std::chrono::milliseconds m_next;
  TimePoint m_last{};
  bool m_used = false;
};

struct PaceLimit {
  std::chrono::milliseconds period{100}; ///< Between two calls, once `burst` came in a row.
  int burst = 100;
};

/// A floor under the period of a loop that may be without a pause. Used by one thread.
class Pace {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Pace(PaceLimit limit = {}) : m_limit(limit) {}

  /// How long to wait before what is due at `now`; it counts as done after that.
  [[nodiscard]] std::chrono::milliseconds wait_before_next(TimePoint now);

private:
  PaceLimit m_limit;
  TimePoint m_all_paid{}; ///< When nothing of what was done counts any more.
};

} // namespace rb::kube

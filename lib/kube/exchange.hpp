// One HTTP exchange under way: what may end it before its end, and which of them did.
#pragma once

#include "kube/deadline_timer.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>

namespace rb::kube {

enum class Ending { none, stopped, deadline, too_large, not_chunked, enough };

/// How far the HTTP library has read beyond what was taken from it. Shared with its threads, which
/// may outlive the exchange.
struct Flow {
  std::atomic<Ending> ending{Ending::none};
  std::atomic<std::uint64_t> taken_bytes{0};
  std::uint64_t ahead_limit_bytes = 0;

  /// The library has read `read_bytes` in all: true (and the ending is too_large) when that is more
  /// than we let it hold.
  bool is_too_far_ahead(std::uint64_t read_bytes);
};

/// Ends by itself when `stop` comes or the deadline passes. After the destructor `cancel` is not
/// running and will not be called.
class Exchange {
public:
  /// `cancel` is called at most a few times, from any thread; it is short.
  Exchange(DeadlineTimer& timer,
           std::chrono::milliseconds timeout,
           std::uint64_t ahead_limit_bytes,
           const std::stop_token& stop,
           std::function<void()> cancel);

  /// The first reason stays.
  void end(Ending why);
  [[nodiscard]] Ending ending() const { return m_flow->ending.load(); }

  [[nodiscard]] const std::shared_ptr<Flow>& flow() const { return m_flow; }
  void restart_deadline(std::chrono::milliseconds timeout) { m_alarm.restart(timeout); }

private:
  std::shared_ptr<Flow> m_flow;
  std::function<void()> m_cancel;
  DeadlineTimer::Alarm m_alarm;
  std::stop_callback<std::function<void()>> m_on_stop;
};

} // namespace rb::kube

// Calls back when a deadline passes. One thread serves all deadlines of a transport.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace rb::kube {

/// Safe to share. Outlives its Alarms.
class DeadlineTimer {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  DeadlineTimer();
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;
  DeadlineTimer(DeadlineTimer&&) = delete;
  DeadlineTimer& operator=(DeadlineTimer&&) = delete;

  /// One deadline. After the destructor the callback does not run, and is not running.
  class Alarm {
  public:
    /// `expired` is called once, on the timer's thread; it is short and does not use the timer.
    Alarm(DeadlineTimer& timer, std::chrono::milliseconds delay, std::function<void()> expired);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    Alarm(Alarm&&) = delete;
    Alarm& operator=(Alarm&&) = delete;

    /// The deadline is `delay` from now. Nothing happens when it has passed already.
    void restart(std::chrono::milliseconds delay);

  private:
    DeadlineTimer& m_timer;
    std::uint64_t m_id;
  };

private:
  struct Entry {
    TimePoint due;
    std::function<void()> expired;
  };

  void run(const std::stop_token& stop);
  /// Returns the id of the entry.
  std::uint64_t add(std::chrono::milliseconds delay, std::function<void()> expired);
  TimePoint earliest_locked() const;
  void fire_due_locked();

  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::map<std::uint64_t, Entry> m_entries; ///< A handful: requests in flight.
  std::uint64_t m_next_id = 0;
  TimePoint m_sleeping_until{};
  std::jthread m_thread;
};

} // namespace rb::kube

#include "kube/deadline_timer.hpp"

#include <algorithm>

namespace rb::kube {

DeadlineTimer::DeadlineTimer() : m_thread([this](const std::stop_token& stop) { run(stop); }) {}

DeadlineTimer::~DeadlineTimer() {
  m_thread.request_stop();
  m_thread.join();
}

DeadlineTimer::TimePoint DeadlineTimer::earliest_locked() const {
  TimePoint earliest = TimePoint::max();
  for (const auto& [id, entry] : m_entries) {
    earliest = std::min(earliest, entry.due);
  }
  return earliest;
}

void DeadlineTimer::fire_due_locked() {
  const TimePoint now = std::chrono::steady_clock::now();
  for (auto it = m_entries.begin(); it != m_entries.end();) {
    if (it->second.due <= now) {
      // Under the lock, so that an Alarm's destructor waits for it.
      it->second.expired();
      it = m_entries.erase(it);
    } else {
      ++it;
    }
  }
}

void DeadlineTimer::run(const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    m_sleeping_until = earliest_locked();
    const auto earlier = [this] { return earliest_locked() < m_sleeping_until; };
    if (m_sleeping_until == TimePoint::max()) {
      m_changed.wait(lock, stop, earlier);
    } else {
      m_changed.wait_until(lock, stop, m_sleeping_until, earlier);
    }
    fire_due_locked();
  }
}

std::uint64_t DeadlineTimer::add(std::chrono::milliseconds delay, std::function<void()> expired) {
  const std::lock_guard lock(m_mutex);
  const std::uint64_t id = ++m_next_id;
  m_entries.emplace(id, Entry{std::chrono::steady_clock::now() + delay, std::move(expired)});
  m_changed.notify_one();
  return id;
}

DeadlineTimer::Alarm::Alarm(DeadlineTimer& timer,
                            std::chrono::milliseconds delay,
                            std::function<void()> expired)
    : m_timer(timer), m_id(timer.add(delay, std::move(expired))) {}

DeadlineTimer::Alarm::~Alarm() {
  const std::lock_guard lock(m_timer.m_mutex);
  m_timer.m_entries.erase(m_id);
}

void DeadlineTimer::Alarm::restart(std::chrono::milliseconds delay) {
  const std::lock_guard lock(m_timer.m_mutex);
  const auto found = m_timer.m_entries.find(m_id);
  if (found != m_timer.m_entries.end()) {
    const TimePoint due = std::chrono::steady_clock::now() + delay;
    const bool sooner = due < m_timer.m_sleeping_until;
    found->second.due = due;
    if (sooner) {
      m_timer.m_changed.notify_one();
    }
  }
}

} // namespace rb::kube

#include "kube/workqueue.hpp"

#include <algorithm>

namespace rb::kube {

namespace {

constexpr std::chrono::milliseconds k_first_delay{5};
constexpr std::chrono::milliseconds k_most_delay{std::chrono::minutes(5)};
constexpr unsigned k_most_doublings = 16; // 5 ms x 2^16 is beyond k_most_delay

} // namespace

void Workqueue::queue_locked(const std::string& key) {
  if (m_active.contains(key)) {
    m_again.insert(key);
  } else if (m_queued.insert(key).second) {
    m_ready.push_back(key);
    m_changed.notify_one();
  }
}

void Workqueue::move_due_locked(TimePoint now) {
  for (auto it = m_later.begin(); it != m_later.end();) {
    if (it->second <= now) {
      const std::string key = it->first;
      it = m_later.erase(it);
      queue_locked(key);
    } else {
      ++it;
    }
  }
}

std::optional<std::string> Workqueue::pop_locked() {
  if (m_ready.empty()) {
    return std::nullopt;
  }
  std::string key = std::move(m_ready.front());
  m_ready.pop_front();
  m_queued.erase(key);
  m_active.insert(key);
  return key;
}

void Workqueue::add(const std::string& key) {
  const std::lock_guard lock(m_mutex);
  queue_locked(key);
}

void Workqueue::add_after(const std::string& key, std::chrono::milliseconds delay) {
  const TimePoint due = std::chrono::steady_clock::now() + delay;
  const std::lock_guard lock(m_mutex);
  if (delay.count() <= 0) {
    queue_locked(key);
    return;
  }
  const auto [entry, added] = m_later.emplace(key, due);
  if (!added) {
    entry->second = std::min(entry->second, due);
  }
  m_changed.notify_all(); // whoever waits may have to wait shorter
}

std::optional<std::string> Workqueue::take(std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    move_due_locked(std::chrono::steady_clock::now());
    if (auto key = pop_locked()) {
      return key;
    }
    TimePoint until = TimePoint::max();
    for (const auto& [key, due] : m_later) {
      until = std::min(until, due);
    }
    const auto sooner = [this, until] {
      return !m_ready.empty() || std::any_of(m_later.begin(),
                                             m_later.end(),
                                             [until](const auto& l) { return l.second < until; });
    };
    if (until == TimePoint::max()) {
      m_changed.wait(lock, stop, sooner);
    } else {
      m_changed.wait_until(lock, stop, until, sooner);
    }
  }
  return std::nullopt;
}

std::optional<std::string> Workqueue::try_take() {
  const std::lock_guard lock(m_mutex);
  move_due_locked(std::chrono::steady_clock::now());
  return pop_locked();
}

void Workqueue::done(const std::string& key) {
  const std::lock_guard lock(m_mutex);
  m_active.erase(key);
  if (m_again.erase(key) != 0) {
    queue_locked(key);
  }
}

void Workqueue::add_after_failure(const std::string& key) {
  unsigned failures = 0;
  {
    const std::lock_guard lock(m_mutex);
    failures = m_failures[key]++;
  }
  const auto delay = k_first_delay * (1U << std::min(failures, k_most_doublings));
  add_after(key, std::min<std::chrono::milliseconds>(delay, k_most_delay));
}

void Workqueue::forget(const std::string& key) {
  const std::lock_guard lock(m_mutex);
  m_failures.erase(key);
}

std::size_t Workqueue::depth() const {
  const std::lock_guard lock(m_mutex);
  return m_ready.size();
}

} // namespace rb::kube

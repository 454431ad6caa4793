// A queue of keys for a level-driven controller: a key is in it once, however often it is added; a
// key that is being worked on is not given to a second worker; a key can be added for later.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

namespace rb::kube {

/// Safe to share.
class Workqueue {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  void add(const std::string& key);

  /// Adds the key when `delay` has passed; an earlier time that is already noted stays.
  void add_after(const std::string& key, std::chrono::milliseconds delay);

  /// The next key, or nullopt when `stop` came. Every key taken must be given to done().
  [[nodiscard]] std::optional<std::string> take(std::stop_token stop);

  /// As take, without waiting.
  [[nodiscard]] std::optional<std::string> try_take();

  /// The work on the key has ended; if it was added meanwhile, it is queued again.
  void done(const std::string& key);

  /// Adds the key after 5 ms, 10 ms, 20 ms … 5 minutes, by the number of failures in a row.
  void add_after_failure(const std::string& key);
  /// The key succeeded: its next failure counts as the first.
  void forget(const std::string& key);

  /// Keys that wait for a worker now (not those for later).
  [[nodiscard]] std::size_t depth() const;

private:
  void queue_locked(const std::string& key);
  void move_due_locked(TimePoint now);
  std::optional<std::string> pop_locked();

  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::deque<std::string> m_ready;
  std::set<std::string> m_queued; ///< In m_ready.
  std::set<std::string> m_active; ///< Taken, not done.
  std::set<std::string> m_again;  ///< Active, and added meanwhile.
  std::map<std::string, TimePoint> m_later;
  std::map<std::string, unsigned> m_failures;
};

} // namespace rb::kube

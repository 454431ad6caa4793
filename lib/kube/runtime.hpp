// What the loops of this room need of the world besides the API server: time, waiting, chance,
// somebody who counts, and somebody who notices that etcd was restored. Tests replace each.
#pragma once

#include "base/clock.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb::kube {

/// Notices that the API server's resourceVersions went back: etcd was restored. A watch from a
/// version of the future gets no event and no error until the versions have passed it, so nobody
/// else would tell. One for all connections of a process to one server. Safe to share.
/// What makes it sound: an answer is compared with what was known of the same path before its call
/// was sent, so answers that overtake each other prove nothing. Of an object and of a list the
/// version never falls (is_older_version: where both are numbers).
class VersionGuard {
public:
  /// The largest version that `path` has had, or "". Asked before a call is sent.
  [[nodiscard]] std::string known(const std::string& path) const;

  /// `version` is that of an answer to a call of `path`; known(path) was `before` when it was sent.
  void answered(const std::string& path, const std::string& version, const std::string& before);

  /// Something else proves it, such as an event that is older than the one before it.
  void went_back();

  /// Stopped as soon as the versions go back; taken before a call whose answer is worthless then.
  [[nodiscard]] std::stop_token same_history() const;

private:
  static constexpr std::size_t k_most_paths = 1024; ///< More are not watched over.

  mutable std::mutex m_mutex;
  std::map<std::string, std::string, std::less<>> m_known;
  std::stop_source m_history;
};

/// Where this room counts. The names in the comments are those of client-go, for the metrics of the
/// programs. Called from several threads at once.
class Metrics {
public:
  Metrics() = default;
  virtual ~Metrics() = default;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  Metrics(Metrics&&) = delete;
  Metrics& operator=(Metrics&&) = delete;

  /// rest_client_requests_total{method,code}, rest_client_request_duration_seconds. `code` is the
  /// HTTP status, or "<error>" when there was none. A retry counts again.
  virtual void request_done(std::string_view method, std::string_view code, double seconds);
  /// A watch of `plural` was opened again; `relisted` when the objects were listed again, too.
  virtual void watch_restarted(std::string_view plural, bool relisted);
  /// leader_election_master_status{name}.
  virtual void leader_changed(std::string_view lease, bool is_leader);
  /// An Event could not be written and was dropped.
  virtual void event_dropped();
};

/// Random numbers in [0, 1). Safe to call from several threads.
[[nodiscard]] double random_fraction();

/// The collaborators, by reference; the defaults are the real ones. All must outlive the user.
struct Runtime {
  Runtime();
  const Clock* clock;
  Waiter* waiter;
  Metrics* metrics; ///< The default counts nothing.
  std::function<double()> random = random_fraction;
  /// One for each server: connections to the same one share it.
  std::shared_ptr<VersionGuard> versions = std::make_shared<VersionGuard>();
};

} // namespace rb::kube

// What the loops of this room need of the world besides the API server: time, waiting, chance, and
// somebody who counts. Tests replace each.
#pragma once

#include "base/clock.hpp"
#include "kube/version_guard.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string_view>

namespace rb::kube {

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

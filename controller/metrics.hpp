// railiance_backup_controller_*, and the metrics that every controller has under the names of
// client-go and controller-runtime. Labels have few values, known beforehand.
#pragma once

#include "base/clock.hpp"
#include "kube/runtime.hpp"

#include <prometheus/registry.h>

#include <memory>
#include <string>
#include <string_view>

namespace rb::controller {

/// Safe to share between threads.
class Metrics final : public kube::Metrics {
public:
  Metrics();
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  Metrics(Metrics&&) = delete;
  Metrics& operator=(Metrics&&) = delete;

  [[nodiscard]] std::shared_ptr<prometheus::Registry> registry() const { return m_registry; }

  void request_done(std::string_view method, std::string_view code, double seconds) override;
  void watch_restarted(std::string_view plural, bool relisted) override;
  void leader_changed(std::string_view lease, bool is_leader) override;
  void event_dropped() override;

  /// `result`: "succeeded", "incomplete" or "failed".
  void run_ended(std::string_view result, double seconds);
  void last_success(SystemTime time);
  void unfinished_runs(std::size_t count);
  /// One plan and what was carried out of it.
  void reconciled(bool failed, double seconds);
  /// The Helm step, from the first list to the last piece.
  void helm_collected(double seconds, std::int64_t releases);
  /// An attempt to tell a receiver of notices failed.
  void notify_failed(const std::string& receiver);

private:
  struct Families;
  std::shared_ptr<prometheus::Registry> m_registry;
  std::unique_ptr<Families> m_families;
};

} // namespace rb::controller

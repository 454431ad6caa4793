// What the agent says of itself on /metrics, and whether it is ready. Safe to share.
#pragma once

#include "agent/run_order.hpp"
#include "offsite/replicator.hpp"

#include "artifact/sets.hpp"

#include <prometheus/registry.h>

#include <atomic>
#include <memory>

namespace rb::agent {

/// Gauges railiance_backup_agent_*: they are read off the backup directory at the start, so that a
/// restart forgets nothing.
class AgentMetrics {
public:
  AgentMetrics();

  [[nodiscard]] std::shared_ptr<prometheus::Registry> registry() const { return m_registry; }

  /// What is there when the agent starts.
  void found_on_disk(const std::vector<artifact::BackupSet>& sets, const DiskSummary& summary);
  void run_ended(const RunReport& report);
  /// How things are off-site; never called where that is not set up.
  void replicated(const offsite::View& view);
  void directory_usable(bool usable) { m_directory_usable = usable; }
  [[nodiscard]] bool directory_usable() const { return m_directory_usable; }

private:
  void set_artifacts(const std::vector<api::ArtifactStatus>& artifacts, SystemTime time);
  void set_etcd(std::int64_t revision, std::int64_t total_keys);
  void set_disk(const DiskSummary& summary);

  std::shared_ptr<prometheus::Registry> m_registry;
  prometheus::Family<prometheus::Gauge>& m_last_success;
  prometheus::Family<prometheus::Gauge>& m_artifact_bytes;
  prometheus::Family<prometheus::Gauge>& m_sets;
  prometheus::Family<prometheus::Gauge>& m_free_bytes;
  prometheus::Family<prometheus::Gauge>& m_etcd;
  prometheus::Family<prometheus::Gauge>& m_keys;
  prometheus::Family<prometheus::Gauge>& m_step_seconds;
  prometheus::Family<prometheus::Counter>& m_runs;
  prometheus::Family<prometheus::Gauge>& m_offsite_sets;
  prometheus::Family<prometheus::Gauge>& m_offsite_failures;
  prometheus::Family<prometheus::Gauge>& m_offsite_success;
  std::atomic<bool> m_directory_usable{false};
};

} // namespace rb::agent

// What the agent says of itself on /metrics, and whether it is ready. Safe to share.
#pragma once

#include "agent/run/backup_run.hpp"
#include "offsite/replicator.hpp"

#include <prometheus/registry.h>

#include <atomic>
#include <memory>
#include <string>

namespace rb::agent {

/// What this process did, as railiance_backup_agent_*. What is on the disk is not here: it is read
/// there at each scrape (DiskWatch), so that a restart forgets nothing.
class AgentMetrics {
public:
  /// `node` is a label of what is told of the copies off-site, as of all that is told of a disk.
  explicit AgentMetrics(const std::string& node);

  [[nodiscard]] std::shared_ptr<prometheus::Registry> registry() const { return m_registry; }

  void run_ended(const RunReport& report);
  /// How things are off-site; never called where that is not set up.
  void replicated(const offsite::View& view);
  void directory_usable(bool usable) { m_directory_usable = usable; }
  [[nodiscard]] bool directory_usable() const { return m_directory_usable; }

private:
  std::shared_ptr<prometheus::Registry> m_registry;
  prometheus::Family<prometheus::Gauge>& m_step_seconds;
  prometheus::Family<prometheus::Counter>& m_runs;
  prometheus::Family<prometheus::Gauge>& m_offsite_sets;
  prometheus::Family<prometheus::Gauge>& m_offsite_failures;
  prometheus::Family<prometheus::Gauge>& m_offsite_success;
  std::atomic<bool> m_directory_usable{false};
};

} // namespace rb::agent

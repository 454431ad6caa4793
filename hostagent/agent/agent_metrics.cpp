#include "agent/agent_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace rb::agent {

namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;

prometheus::Family<prometheus::Gauge>&
gauge(prometheus::Registry& registry, const std::string& name, const std::string& help) {
  return BuildGauge().Name("railiance_backup_agent_" + name).Help(help).Register(registry);
}

double seconds_of(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}

} // namespace

AgentMetrics::AgentMetrics()
    : m_registry(std::make_shared<prometheus::Registry>()),
      m_last_success(gauge(*m_registry,
                           "last_success_timestamp_seconds",
                           "Unix time at which the newest verified artifact was stored.")),
      m_artifact_bytes(
          gauge(*m_registry, "artifact_bytes", "Size of the newest verified artifact, encrypted.")),
      m_sets(gauge(*m_registry, "retained_sets", "Backup sets in the directory, by state.")),
      m_free_bytes(gauge(*m_registry, "disk_free_bytes", "Free space of the backup directory.")),
      m_etcd(gauge(*m_registry, "etcd_revision", "Revision of the newest etcd artifact.")),
      m_keys(gauge(*m_registry, "etcd_keys", "Live keys in the newest etcd artifact.")),
      m_step_seconds(
          gauge(*m_registry, "step_duration_seconds", "Duration of each step of the last run.")),
      m_runs(BuildCounter()
                 .Name("railiance_backup_agent_runs_total")
                 .Help("Runs that ended, by reason.")
                 .Register(*m_registry)),
      m_offsite_sets(gauge(*m_registry,
                           "offsite_sets",
                           "Complete sets of the directory, by whether they are off-site.")),
      m_offsite_failures(gauge(*m_registry,
                               "offsite_failed_attempts",
                               "Attempts to copy off-site that failed since the last success.")),
      m_offsite_success(gauge(*m_registry,
                              "offsite_last_success_timestamp_seconds",
                              "Unix time of the last attempt that left nothing to copy.")) {
  gauge(*m_registry, "info", "Version of the agent.").Add({{"version", RB_VERSION}}).Set(1);
}

void AgentMetrics::set_artifacts(const std::vector<api::ArtifactStatus>& artifacts,
                                 SystemTime time) {
  for (const api::ArtifactStatus& artifact : artifacts) {
    const prometheus::Labels labels{{"artifact", std::string(api::to_string(artifact.type))}};
    m_last_success.Add(labels).Set(seconds_of(time));
    m_artifact_bytes.Add(labels).Set(static_cast<double>(artifact.size_bytes));
  }
}

void AgentMetrics::set_etcd(std::int64_t revision, std::int64_t total_keys) {
  m_etcd.Add({}).Set(static_cast<double>(revision));
  m_keys.Add({}).Set(static_cast<double>(total_keys));
}

void AgentMetrics::set_disk(const DiskSummary& summary) {
  m_sets.Add({{"state", "complete"}}).Set(static_cast<double>(summary.complete_sets));
  m_sets.Add({{"state", "incomplete"}}).Set(static_cast<double>(summary.incomplete_sets));
  m_sets.Add({{"state", "damaged"}}).Set(static_cast<double>(summary.damaged_sets));
  m_free_bytes.Add({}).Set(static_cast<double>(summary.free_bytes));
}

void AgentMetrics::found_on_disk(const std::vector<artifact::BackupSet>& sets,
                                 const DiskSummary& summary) {
  set_disk(summary);
  // Oldest first: the newest one has the last word.
  for (auto set = sets.rbegin(); set != sets.rend(); ++set) {
    if (!set->manifest || set->state == artifact::SetState::damaged) {
      continue;
    }
    set_artifacts(set->manifest->artifacts, set->manifest->completion_time);
    if (set->manifest->snapshot) {
      set_etcd(set->manifest->snapshot->revision, set->manifest->snapshot->total_keys);
    }
  }
}

void AgentMetrics::replicated(const offsite::View& view) {
  const auto pending = static_cast<double>(view.pending());
  m_offsite_sets.Add({{"state", "pending"}}).Set(pending);
  m_offsite_sets.Add({{"state", "replicated"}})
      .Set(static_cast<double>(view.sets.size()) - pending);
  m_offsite_failures.Add({}).Set(view.failures);
  if (view.last_success != SystemTime{}) {
    m_offsite_success.Add({}).Set(seconds_of(view.last_success));
  }
}

void AgentMetrics::run_ended(const RunReport& report) {
  m_runs.Add({{"reason", std::string(api::to_string(report.reason))}}).Increment();
  for (const auto& [step, duration] : report.step_durations) {
    m_step_seconds.Add({{"step", step}}).Set(duration.count());
  }
  if (report.disk) {
    set_disk(*report.disk);
    m_directory_usable = true;
  }
  set_artifacts(report.status.artifacts, report.status.completion_time.value_or(SystemTime{}));
  if (report.status.etcd) {
    set_etcd(report.status.etcd->revision, report.status.etcd->total_keys);
  }
}

} // namespace rb::agent

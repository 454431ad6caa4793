#include "agent/orders/agent_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>

namespace rb::agent {

namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;

prometheus::Family<prometheus::Gauge>& gauge(prometheus::Registry& registry,
                                             const std::string& name,
                                             const std::string& help,
                                             const prometheus::Labels& labels = {}) {
  return BuildGauge().Name("railiance_backup_" + name).Help(help).Labels(labels).Register(registry);
}

/// The step "Datastore" by its name of before there was another one than etcd: queries of then, and
/// the dashboards, go on. Not in k_timed_steps, where none is part of another.
constexpr const char* k_old_datastore_step = "Etcd";

double seconds_of(SystemTime time) {
  return static_cast<double>(time.time_since_epoch().count());
}

} // namespace

AgentMetrics::AgentMetrics(const std::string& node)
    : m_registry(std::make_shared<prometheus::Registry>()),
      m_step_seconds(gauge(*m_registry,
                           "agent_step_duration_seconds",
                           "Duration of each step of the last run of this process; 0: none.")),
      m_runs(BuildCounter()
                 .Name("railiance_backup_agent_runs_total")
                 .Help("Runs of this process that ended, by reason.")
                 .Register(*m_registry)),
      m_offsite_sets(
          gauge(*m_registry,
                "offsite_sets",
                "Complete sets of the directory, by whether they are off-site; damaged ones are "
                "left out.",
                {{"node", node}})),
      m_offsite_failures(gauge(*m_registry,
                               "offsite_failed_attempts",
                               "Attempts to copy off-site that failed since the last success.",
                               {{"node", node}})),
      m_offsite_success(gauge(*m_registry,
                              "offsite_last_success_timestamp_seconds",
                              "Unix time of the last attempt of this process that left nothing to "
                              "copy; 0: none.",
                              {{"node", node}})) {
  gauge(*m_registry, "agent_build_info", "The version of this program.")
      .Add({{"version", RB_VERSION}})
      .Set(1);
  for (const std::string_view step : k_timed_steps) {
    m_step_seconds.Add({{"step", std::string(step)}}).Set(0);
  }
  m_step_seconds.Add({{"step", k_old_datastore_step}}).Set(0);
  for (const api::Reason reason : {api::Reason::completed, api::Reason::incomplete}) {
    m_runs.Add({{"reason", std::string(api::to_string(reason))}});
  }
}

void AgentMetrics::replicated(const offsite::View& view) {
  m_offsite_sets.Add({{"state", "pending"}}).Set(static_cast<double>(view.pending()));
  m_offsite_sets.Add({{"state", "replicated"}}).Set(static_cast<double>(view.replicated()));
  m_offsite_sets.Add({{"state", "damaged"}}).Set(static_cast<double>(view.damaged()));
  m_offsite_failures.Add({}).Set(view.failures);
  m_offsite_success.Add({}).Set(seconds_of(view.last_success)); // 0 of none
}

void AgentMetrics::run_ended(const RunReport& report) {
  m_runs.Add({{"reason", std::string(api::to_string(report.reason))}}).Increment();
  for (const auto& [step, duration] : report.step_durations) {
    m_step_seconds.Add({{"step", step}}).Set(duration.count());
    if (step == k_datastore_step) {
      m_step_seconds.Add({{"step", k_old_datastore_step}}).Set(duration.count());
    }
  }
  if (report.directory_used) {
    m_directory_usable = true;
  }
}

} // namespace rb::agent

#include "agent/agent_metrics.hpp"

#include <doctest/doctest.h>
#include <prometheus/text_serializer.h>

using namespace rb;
using namespace rb::agent;

namespace {

std::string text_of(const AgentMetrics& metrics) {
  return prometheus::TextSerializer().Serialize(metrics.registry()->Collect());
}

bool has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}

} // namespace

TEST_CASE("a run leaves its sizes, times and revision in the gauges") {
  AgentMetrics metrics;
  RunReport report;
  report.reason = api::Reason::completed;
  report.status.completion_time = SystemTime{std::chrono::seconds(1000)};
  report.status.artifacts = {{api::ArtifactType::etcd_snapshot, "e", 77, "aa"}};
  report.status.etcd = api::EtcdStatus{42, 7};
  report.step_durations["Etcd"] = std::chrono::duration<double>(1.5);
  report.disk = DiskSummary{3, 1, 0, 4096};
  metrics.run_ended(report);
  const std::string text = text_of(metrics);
  CHECK(
      has(text,
          "railiance_backup_agent_last_success_timestamp_seconds{artifact=\"EtcdSnapshot\"} 1000"));
  CHECK(has(text, "railiance_backup_agent_artifact_bytes{artifact=\"EtcdSnapshot\"} 77"));
  CHECK(has(text, "railiance_backup_agent_etcd_revision 42"));
  CHECK(has(text, "railiance_backup_agent_step_duration_seconds{step=\"Etcd\"} 1.5"));
  CHECK(has(text, "railiance_backup_agent_retained_sets{state=\"complete\"} 3"));
  CHECK(has(text, "railiance_backup_agent_disk_free_bytes 4096"));
  CHECK(has(text, "railiance_backup_agent_runs_total{reason=\"Completed\"} 1"));
  CHECK(metrics.directory_usable());
}

TEST_CASE("a failed run is counted and moves no last success") {
  AgentMetrics metrics;
  RunReport report;
  report.reason = api::Reason::storage_full;
  metrics.run_ended(report);
  const std::string text = text_of(metrics);
  CHECK(has(text, "railiance_backup_agent_runs_total{reason=\"StorageFull\"} 1"));
  CHECK(text.find("last_success_timestamp_seconds{") == std::string::npos);
}

TEST_CASE("after a restart the gauges show what the disk holds, the newest set last") {
  AgentMetrics metrics;
  const auto set = [](std::int64_t revision, std::int64_t time) {
    artifact::BackupSet backup;
    backup.state = artifact::SetState::complete;
    backup.manifest.emplace();
    backup.manifest->completion_time = SystemTime{std::chrono::seconds(time)};
    backup.manifest->artifacts = {{api::ArtifactType::kubeconfig, "k", 5, "aa"}};
    backup.manifest->snapshot.emplace();
    backup.manifest->snapshot->revision = revision;
    return backup;
  };
  metrics.found_on_disk({set(9, 900), set(8, 800)}, {});
  const std::string text = text_of(metrics);
  CHECK(has(text, "railiance_backup_agent_etcd_revision 9"));
  CHECK(has(text,
            "railiance_backup_agent_last_success_timestamp_seconds{artifact=\"Kubeconfig\"} 900"));
}

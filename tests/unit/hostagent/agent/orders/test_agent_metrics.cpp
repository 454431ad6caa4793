#include "agent/orders/agent_metrics.hpp"
#include "agent/orders/facts_reporter.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>
#include <prometheus/text_serializer.h>

#include <fstream>

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

TEST_CASE("a run leaves the durations of its steps, and its reason") {
  AgentMetrics metrics("server-1");
  RunReport report;
  report.reason = api::Reason::completed;
  report.step_durations["Datastore"] = std::chrono::duration<double>(1.5);
  report.directory_used = true;
  metrics.run_ended(report);
  const std::string text = text_of(metrics);
  CHECK(has(text, "railiance_backup_agent_step_duration_seconds{step=\"Datastore\"} 1.5"));
  // Its name of before there was SQLite.
  CHECK(has(text, "railiance_backup_agent_step_duration_seconds{step=\"Etcd\"} 1.5"));
  CHECK(has(text, "railiance_backup_agent_runs_total{reason=\"Completed\"} 1"));
  CHECK(metrics.directory_usable());
}

TEST_CASE("a failed run is counted by its reason, and proves nothing of the directory") {
  AgentMetrics metrics("server-1");
  RunReport report;
  report.reason = api::Reason::storage_full;
  metrics.run_ended(report);
  CHECK(has(text_of(metrics), "railiance_backup_agent_runs_total{reason=\"StorageFull\"} 1"));
  CHECK_FALSE(metrics.directory_usable());
}

TEST_CASE("what has not happened yet is there with 0") {
  const AgentMetrics metrics("server-1");
  const std::string text = text_of(metrics);
  CHECK(has(text, "railiance_backup_agent_runs_total{reason=\"Completed\"} 0"));
  CHECK(has(text, "railiance_backup_agent_step_duration_seconds{step=\"Preparing\"} 0"));
  CHECK(has(text, "railiance_backup_agent_step_duration_seconds{step=\"Datastore\"} 0"));
  CHECK(has(text, "railiance_backup_agent_step_duration_seconds{step=\"Etcd\"} 0"));
}

TEST_CASE("copies off-site are told with the node whose they are, as alerts ask for it") {
  AgentMetrics metrics("server-1");
  metrics.replicated({});
  const std::string text = text_of(metrics);
  CHECK(has(text, "railiance_backup_offsite_failed_attempts{node=\"server-1\"} 0"));
  CHECK(has(text, "railiance_backup_offsite_sets{node=\"server-1\",state=\"damaged\"} 0"));
  // One that never succeeded is there, too: time() - 0 is an age that an alert can ask for.
  CHECK(has(text, "railiance_backup_offsite_last_success_timestamp_seconds{node=\"server-1\"} 0"));
}

TEST_CASE("the disk is looked at when it is asked for, and not more often than that") {
  const test::TemporaryDirectory temporary;
  Settings settings;
  settings.backup_dir = temporary.file("backups");
  settings.node_name = "server-1";
  settings.agent_id = "pod-uid";
  const RealClock clock;
  DiskWatch disk(settings, clock, std::chrono::hours(1));

  const auto before = disk.facts();
  REQUIRE(before);
  CHECK(before->node_name == "server-1");
  CHECK(before->agent_id == "pod-uid");
  CHECK(before->complete_sets == 0); // a directory that is not there yet is an empty one

  auto directory = set::Directory::open(settings.backup_dir).value();
  REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(1))));
  CHECK(disk.facts()->complete_sets == 0);
  disk.changed();
  CHECK(disk.facts()->complete_sets == 1);
}

TEST_CASE("a directory that cannot be read leaves what was last known, with its time") {
  const test::TemporaryDirectory temporary;
  Settings settings;
  settings.backup_dir = temporary.file("backups");
  const RealClock clock;
  DiskWatch disk(settings, clock, std::chrono::milliseconds(0));
  const auto before = disk.facts();
  REQUIRE(before);
  std::ofstream(settings.backup_dir) << "a file";
  disk.changed();
  CHECK(disk.facts() == before);
}

TEST_CASE("a disk that takes long to look at is looked at less often") {
  struct SlowClock final : Clock {
    mutable std::chrono::steady_clock::time_point steady{};
    [[nodiscard]] SystemTime now() const override {
      return parse_run_id("20260102T000000Z").value();
    }
    [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
      return steady += std::chrono::seconds(3);
    }
  };
  const test::TemporaryDirectory temporary;
  Settings settings;
  settings.backup_dir = temporary.file("backups");
  const SlowClock clock;
  DiskWatch disk(settings, clock, std::chrono::seconds(1));
  REQUIRE(disk.facts()); // took 3 s
  auto directory = set::Directory::open(settings.backup_dir).value();
  REQUIRE(test::store_set(directory, test::make_manifest(test::run_id_of_day(1))));
  CHECK(disk.facts()->complete_sets == 0);
  clock.steady += std::chrono::seconds(30);
  CHECK(disk.facts()->complete_sets == 1);
}

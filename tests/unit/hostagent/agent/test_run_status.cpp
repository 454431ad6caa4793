#include "agent/run/run_control.hpp"
#include "agent/run/run_status.hpp"

#include <doctest/doctest.h>

#include <cerrno>

using namespace rb;
using namespace rb::agent;
using api::ConditionStatus;
using api::find_condition;

namespace {

const SystemTime k_now{std::chrono::seconds(1795348320)};

} // namespace

TEST_CASE("a failed run ends every step that had no result, and keeps those that had") {
  api::NodeBackupStatus status;
  set_step(status, "SnapshotTaken", ConditionStatus::true_, api::Reason::completed, "ok", k_now);
  set_step(status, "Verified", ConditionStatus::unknown, api::Reason::pending, "not yet", k_now);
  status.progress = api::Progress{"StoringArtifacts", 1, 2};
  finish_status(status, {api::Reason::storage_full, "/b: no space left on device"}, k_now);
  CHECK(find_condition(status.conditions, "SnapshotTaken")->status == ConditionStatus::true_);
  CHECK(find_condition(status.conditions, "Verified")->status == ConditionStatus::false_);
  CHECK(find_condition(status.conditions, "Verified")->reason == "StorageFull");
  CHECK(find_condition(status.conditions, "Succeeded")->status == ConditionStatus::false_);
  CHECK(find_condition(status.conditions, "Succeeded")->message == "/b: no space left on device");
  CHECK(status.completion_time == k_now);
  CHECK_FALSE(status.progress);
}

TEST_CASE("a disk that came back read-only is said, with what to do") {
  const Outcome outcome = outcome_of(system_error(EROFS, "/b/.unfinished-x: open"));
  CHECK(outcome.reason == api::Reason::storage_failed);
  CHECK(outcome.message.starts_with("/b/.unfinished-x: open: read-only file system; the disk is"));
  CHECK(outcome.message.find("fsck") != std::string::npos);
}

TEST_CASE("a disk that is gone is said, with what it takes to see the one in its place") {
  for (const int error : {EIO, ENODEV, ESTALE, ESHUTDOWN, ENOTCONN}) {
    CAPTURE(error);
    const Outcome outcome = outcome_of(system_error(error, "/mnt/usb/cluster: open"));
    CHECK(outcome.reason == api::Reason::storage_failed);
    CHECK(outcome.message.find("rollout restart ds/railiance-backup-agent") != std::string::npos);
  }
  CHECK(outcome_of(system_error(EACCES, "/b: open")).message.find("rollout") == std::string::npos);
}

TEST_CASE("a file system that takes no file of that size is said, with what does") {
  const Outcome outcome = outcome_of(system_error(EFBIG, "/mnt/usb/etcd.snap.age.part: write"));
  CHECK(outcome.reason == api::Reason::storage_failed);
  CHECK(outcome.message.find("FAT: 4 GiB") != std::string::npos);
}

TEST_CASE("the report of a manifest says what the disk says") {
  set::Manifest manifest;
  manifest.run_id = "20261122T115200Z";
  manifest.complete = true;
  manifest.start_time = k_now;
  manifest.completion_time = k_now + std::chrono::seconds(3);
  manifest.artifacts = {{api::ArtifactType::kubeconfig, "k", 1, "aa"}};
  manifest.snapshot = set::SnapshotRecord{};
  manifest.snapshot->revision = 42;
  manifest.snapshot->total_keys = 7;
  RunReport report = report_of_manifest(manifest, k_now + std::chrono::hours(1));
  CHECK(report.succeeded());
  CHECK(report.status.etcd->revision == 42);
  CHECK(report.status.completion_time == manifest.completion_time);
  CHECK(find_condition(report.status.conditions, "Succeeded")->status == ConditionStatus::true_);

  manifest.complete = false;
  manifest.missing = {{api::ArtifactType::kubeconfig, api::Reason::kubeconfig_missing, "none"}};
  report = report_of_manifest(manifest, k_now);
  CHECK(report.reason == api::Reason::incomplete);
  CHECK(report.message == "KubeconfigMissing (Kubeconfig): none");
  CHECK(find_condition(report.status.conditions, "ArtifactsStored")->status ==
        ConditionStatus::false_);
}

TEST_CASE("a deadline that passed in mid-run names the step, and the clock as what may be wrong") {
  RunControl control;
  CHECK(check_stop(control, "SnapshotTaken"));
  control.stop(StopCause::deadline);
  const Status stopped = check_stop(control, "SnapshotTaken");
  REQUIRE_FALSE(stopped);
  CHECK(stopped.error().reason == api::Reason::deadline_exceeded);
  CHECK(stopped.error().message.find("(step SnapshotTaken)") != std::string::npos);
  CHECK(stopped.error().hint.find("the clock of this node is ahead") != std::string::npos);
}

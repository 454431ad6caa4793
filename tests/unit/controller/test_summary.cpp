// From the agent's report to the status that people read.
#include "controller/summary.hpp"
#include "terminal/format.hpp"
#include "world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ArtifactType;
using api::ConditionStatus;
using api::Reason;

namespace {

Observed reported() {
  Observed observed = cluster();
  add(observed, backup("b"));
  settle(observed);
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  return observed;
}

Verdict verdict(const Observed& observed) {
  return verdict_of(observed.backups.at("uid-b"), observed.orders.at("uid-b"));
}

} // namespace

TEST_CASE("success says what is stored where") {
  const Verdict result = verdict(reported());
  CHECK(result.succeeded);
  CHECK(result.reason == Reason::completed);
  CHECK(result.message == "4 files, 3.9 KiB on node n1; etcd revision 42; 3 Helm releases");
}

TEST_CASE("reasons of a newer agent end the run, and are passed on as they are") {
  Observed observed = reported();
  observed.orders.at("uid-b").status.missing =
      api::missing_from_json(
          nlohmann::json::array({nlohmann::json{
              {"type", "HostState"}, {"reason", "OfTheFuture"}, {"message", "words"}}}))
          .value();
  CHECK(verdict(observed).reason == Reason::incomplete);
  CHECK(verdict(observed).message == "missing or not whole: HostState (OfTheFuture: words)");
  settle(observed);
  CHECK(api::to_json(observed.backups.at("uid-b").status.missing)[0]["reason"] == "OfTheFuture");

  Observed failed = reported();
  fail(failed, "uid-b", Reason::internal_error, "words");
  failed.orders.at("uid-b").status.conditions[0].reason = "OfTheFuture";
  const Plan next = plan(failed);
  CHECK(next.statuses.at(0).event->reason == "OfTheFuture");
  settle(failed);
  CHECK(succeeded(failed, "uid-b").reason == "OfTheFuture");
  CHECK(succeeded(failed, "uid-b").message == "words");
}

TEST_CASE("a word of a newer release in the request ends the run as incomplete, naming it") {
  Observed observed = reported();
  observed.backups.at("uid-b").spec.unknown = {"Volumes"};
  CHECK(verdict(observed).reason == Reason::incomplete);
  CHECK(verdict(observed).message.starts_with("asked for Volumes, which this release does not"));
}

TEST_CASE("an agent that claims success without a file that was asked for is not believed") {
  Observed observed = reported();
  observed.orders.at("uid-b").status.artifacts.pop_back();
  CHECK_FALSE(verdict(observed).succeeded);
  CHECK(verdict(observed).reason == Reason::incomplete);
  CHECK(verdict(observed).message ==
        "missing or not whole: HostState (InternalError: the agent did not report it)");
}

TEST_CASE("an agent that claims success without verification is not believed") {
  Observed observed = reported();
  std::erase_if(observed.orders.at("uid-b").status.conditions,
                [](const auto& item) { return item.type == "Verified"; });
  CHECK(verdict(observed).reason == Reason::verification_failed);
}

namespace {

Observed to_be_proven() {
  Observed observed = cluster();
  api::ClusterBackup request = backup("b");
  request.spec.verification = api::Verification::boot;
  add(observed, request);
  settle(observed);
  accept(observed, "uid-b");
  return observed;
}

const api::Condition* proven(const Observed& observed) {
  return api::find_condition(observed.backups.at("uid-b").status.conditions, "Proven");
}

} // namespace

TEST_CASE("a run that nobody wants proven has no condition Proven") {
  Observed observed = reported();
  settle(observed);
  CHECK(proven(observed) == nullptr);
  CHECK(observed.orders.at("uid-b").spec.verification == api::Verification::snapshot);
}

TEST_CASE("a run that is to be proven is ordered so, and says Proven from its first visit on") {
  Observed observed = to_be_proven();
  CHECK(observed.orders.at("uid-b").spec.verification == api::Verification::boot);
  REQUIRE(proven(observed) != nullptr);
  CHECK(proven(observed)->status == ConditionStatus::unknown);
  finish(observed, "uid-b");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(succeeded(observed, "uid-b").message.ends_with("; proven by a boot"));
  CHECK(proven(observed)->status == ConditionStatus::true_);
  CHECK(proven(observed)->message == "all as it was");
}

TEST_CASE("a set whose proof failed stays in the status, and the run has not succeeded") {
  Observed observed = to_be_proven();
  finish(observed, "uid-b");
  for (api::Condition& item : observed.orders.at("uid-b").status.conditions) {
    if (item.type == "Succeeded" || item.type == "Proven") {
      item.status = ConditionStatus::false_;
      item.reason = "ProofFailed";
      item.message = "it did not come up";
    }
  }
  const Plan ending = plan(observed);
  REQUIRE(ending.statuses.size() == 1);
  CHECK(ending.statuses[0].event->warning);
  CHECK(ending.statuses[0].event->reason == "ProofFailed");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "ProofFailed");
  CHECK(proven(observed)->reason == "ProofFailed");
  CHECK(observed.backups.at("uid-b").status.artifacts.size() == 4);
}

TEST_CASE("an agent that claims success without the proof is not believed") {
  Observed observed = to_be_proven();
  finish(observed, "uid-b");
  std::erase_if(observed.orders.at("uid-b").status.conditions,
                [](const auto& item) { return item.type == "Proven"; });
  CHECK(verdict(observed).reason == Reason::proof_unavailable);
  settle(observed);
  CHECK(proven(observed)->status == ConditionStatus::false_);
}

TEST_CASE("a run that ends before its proof says so in Proven, too") {
  Observed observed = to_be_proven();
  fail(observed, "uid-b", Reason::snapshot_failed, "no snapshot");
  settle(observed);
  CHECK(proven(observed)->status == ConditionStatus::false_);
  CHECK(proven(observed)->reason == "SnapshotFailed");
}

TEST_CASE("an undecodable release is said and counted, and the run is complete") {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed); // run id
  carry_out(plan(observed), observed); // the Helm step is announced
  carry_out(plan(observed), observed);
  HelmOutcome& helm = *observed.memory.at("uid-b").helm;
  helm.status = api::HelmStatus{24, {{"apps", "secret/sh.helm.release.v1.bad.v1", "bad gzip"}}, 1};
  settle(observed);
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  settle(observed);
  const api::ClusterBackupStatus& status = observed.backups.at("uid-b").status;
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(succeeded(observed, "uid-b").message.find("24 Helm releases, 1 kept as stored") !=
        std::string::npos);
  CHECK(status.artifacts.size() == 4);
  CHECK(status.helm->undecodable.size() == 1);
  CHECK(status.missing.empty());
  const auto* collected = api::find_condition(status.conditions, "HelmValuesCollected");
  CHECK(collected->status == ConditionStatus::true_);
  CHECK(collected->reason == "HelmUndecodable");
  CHECK(collected->message ==
        "24 releases, 1 kept as stored: apps/secret/sh.helm.release.v1.bad.v1 (bad gzip)");
}

TEST_CASE("releases that cannot be listed: HelmFailed, the rest is backed up all the same") {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed);
  observed.memory["uid-b"].helm = HelmOutcome{
      {}, {}, api::MissingArtifact{ArtifactType::helm_values, Reason::helm_failed, "403"}};
  settle(observed);
  REQUIRE(observed.orders.contains("uid-b"));
  CHECK_FALSE(observed.orders.at("uid-b").spec.helm_payload);
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  settle(observed);
  const api::ClusterBackupStatus& status = observed.backups.at("uid-b").status;
  CHECK(succeeded(observed, "uid-b").reason == "Incomplete");
  CHECK(status.artifacts.size() == 3);
  CHECK(api::find_condition(status.conditions, "HelmValuesCollected")->reason == "HelmFailed");
}

TEST_CASE("the agent's reason of failure is the reason of the run") {
  for (const Reason reason : {Reason::datastore_not_etcd,
                              Reason::server_unreachable,
                              Reason::k3s_not_found,
                              Reason::snapshot_failed,
                              Reason::snapshot_invalid,
                              Reason::storage_full,
                              Reason::storage_failed,
                              Reason::verification_failed,
                              Reason::deadline_exceeded,
                              Reason::interrupted,
                              Reason::host_busy}) {
    Observed observed = cluster();
    add(observed, backup("b"));
    settle(observed);
    accept(observed, "uid-b");
    fail(observed, "uid-b", reason, "the agent's words");
    settle(observed);
    CAPTURE(api::to_string(reason));
    CHECK(succeeded(observed, "uid-b").reason == api::to_string(reason));
    CHECK(succeeded(observed, "uid-b").message == "the agent's words");
    CHECK(observed.payload_runs.empty());
  }
}

TEST_CASE("a reason of a newer agent becomes InternalError and its message stays") {
  Observed observed = reported();
  auto& condition = observed.orders.at("uid-b").status.conditions[0];
  condition.status = ConditionStatus::false_;
  condition.reason = "SomethingNew";
  condition.message = "words";
  CHECK(verdict(observed).reason == Reason::internal_error);
  CHECK(verdict(observed).message == "words");
}

TEST_CASE("bytes and heartbeats are not mirrored; a new step or condition is") {
  Observed observed = cluster();
  add(observed, backup("b"));
  settle(observed);
  accept(observed, "uid-b");
  settle(observed);
  api::NodeBackupStatus& report = observed.orders.at("uid-b").status;
  report.progress = api::Progress{"EncryptingSnapshot", 1, 100};
  CHECK(plan(observed).statuses.size() == 1);
  settle(observed);
  report.progress = api::Progress{"EncryptingSnapshot", 50, 100};
  report.heartbeat_time = observed.now + std::chrono::seconds{15};
  CHECK(plan(observed).empty());
  report.conditions.push_back(
      condition("SnapshotTaken", ConditionStatus::true_, Reason::completed, "revision 1"));
  CHECK(plan(observed).statuses.size() == 1);
  settle(observed);
  report.conditions.back().message = "revision 1, in other words";
  CHECK(plan(observed).empty());
}

TEST_CASE("the last transition time of a condition stays while its status does") {
  Observed observed = cluster();
  add(observed, backup("b"));
  settle(observed);
  const SystemTime before = succeeded(observed, "uid-b").last_transition_time;
  observed.now += std::chrono::seconds{10};
  accept(observed, "uid-b");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").last_transition_time == before);
  finish(observed, "uid-b");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").last_transition_time == observed.now);
}

TEST_CASE("counts and sizes are worded for people") {
  CHECK(count_of(1, "file") == "1 file");
  CHECK(count_of(0, "file") == "0 files");
  CHECK(format_size(0) == "0 B");
  CHECK(format_size(1023) == "1023 B");
  CHECK(format_size(1536) == "1.5 KiB");
  CHECK(format_size(std::uint64_t{5} << 30U) == "5.0 GiB");
}

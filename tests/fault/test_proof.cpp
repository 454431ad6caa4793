// Runs that are to be proven: what is stored, said and kept, whatever comes of the proof.
#include "agent/run/leftovers.hpp"
#include "fault/fake_host.hpp"
#include "fault/fake_prover.hpp"
#include "set/sets.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

using namespace rb;
using namespace rb::test;
using agent::not_proven;
using api::find_condition;
using api::Reason;

namespace {

agent::RunOrder order_to_prove(FakeHost& host, int keep_last = 7) {
  auto order = host.next_order();
  order.verification = api::Verification::boot;
  order.keep_last = keep_last;
  return order;
}

const api::Condition& proven(const agent::RunReport& report) {
  const auto* condition = find_condition(report.status.conditions, "Proven");
  REQUIRE(condition != nullptr);
  return *condition;
}

std::string stamped(const FakeHost& host) {
  auto directory = set::Directory::open_existing(host.settings.backup_dir).value();
  const auto stamp = test::read_stamp(directory);
  return stamp ? stamp->at("run_id") : std::string();
}

const auto k_failed = not_proven(Reason::proof_failed, "the scratch server: it ended");
const auto k_unavailable = not_proven(Reason::proof_unavailable, "too little memory");

} // namespace

TEST_CASE(
    "a proven run: the prover sees the plaintext and the host state, the manifest has it all") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  const auto report = host.run(order_to_prove(host));
  CAPTURE(report.message);
  REQUIRE(report.succeeded());
  CHECK(report.message.ends_with("proven by a boot"));
  CHECK(prover.snapshot == host.scratch.read("bin/snapshot"));
  CHECK(prover.revision == report.status.etcd->revision);
  CHECK(prover.host_state_bytes > 0);
  CHECK(prover.swept == 1);
  CHECK(proven(report).status == api::ConditionStatus::true_);
  CHECK(proven(report).message ==
        "4211 objects of 63 kinds are as in the snapshot (11.5 s, peak memory 430 MiB)");
  const auto sets = sets_of(host);
  CHECK(sets.front().manifest->proof == FakeProver::proven());
  CHECK(stamped(host) == sets.front().run_id);
  CHECK(host.snapshots().empty());
  CHECK(host.leaks().empty());
  CHECK(host.scratch.read("backups/backup.log").find("proof=Completed") != std::string::npos);
}

TEST_CASE("a run that nobody wants proven asks no prover and says nothing of it") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  const auto report = host.run();
  REQUIRE(report.succeeded());
  CHECK(prover.asked == 0);
  CHECK(find_condition(report.status.conditions, "Proven") == nullptr);
  CHECK_FALSE(sets_of(host).front().manifest->proof);
}

TEST_CASE("a proof that is not there: the set is stored and kept, the run has not succeeded") {
  for (const set::ProofRecord& answer : {k_failed, k_unavailable}) {
    CAPTURE(answer.message);
    FakeHost host;
    host.scratch.write("tool", "the static program");
    host.settings.kit_program = host.scratch.path("tool");
    FakeProver prover;
    host.prover = &prover;
    REQUIRE(host.run(order_to_prove(host)).succeeded());
    const auto before = host.backups();
    const std::string good = stamped(host);
    const std::string guide = host.scratch.read("backups/RESTORE.md");
    prover.answer = answer;
    const auto report = host.run(order_to_prove(host));
    CHECK(report.reason == answer.reason);
    CHECK(report.message.find(answer.message) != std::string::npos);
    CHECK(proven(report).status == api::ConditionStatus::false_);
    CHECK(proven(report).reason == api::to_string(answer.reason));
    CHECK(report.status.artifacts.size() == 4);
    const auto sets = sets_of(host);
    REQUIRE(sets.size() == 2);
    CHECK(sets.front().state == set::SetState::complete);
    CHECK_FALSE(set::is_good(sets.front()));
    CHECK(set::is_disproven(sets.front()) == (answer.reason == Reason::proof_failed));
    // Stamp and guide stay with the set that is known to be good.
    CHECK(stamped(host) == good);
    CHECK(host.scratch.read("backups/RESTORE.md") == guide);
    CHECK(is_untouched(before, host.backups()));
    CHECK(host.snapshots().empty());
  }
}

TEST_CASE("the first set of all gets its guide, proven or not") {
  FakeHost host;
  FakeProver prover;
  prover.answer = k_unavailable;
  host.prover = &prover;
  CHECK(host.run(order_to_prove(host)).reason == Reason::proof_unavailable);
  CHECK(host.scratch.exists("backups/RESTORE.md"));
  CHECK(stamped(host).empty());
}

TEST_CASE("proofs that fail for weeks push no good set out and do not fill the disk") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(host.run(order_to_prove(host, 3)).succeeded());
  }
  const auto before = host.backups();
  prover.answer = k_failed;
  for (int i = 0; i < 6; ++i) {
    CHECK(host.run(order_to_prove(host, 3)).reason == Reason::proof_failed);
  }
  CHECK(is_untouched(before, host.backups()));
  CHECK(sets_of(host).size() == 6); // three good ones, and the last three that are not
  prover.answer = FakeProver::proven();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(host.run(order_to_prove(host, 3)).succeeded());
  }
  const auto sets = sets_of(host);
  CHECK(sets.size() == 3);
  CHECK(std::all_of(sets.begin(), sets.end(), set::is_good));
}

TEST_CASE("what the disk says of a run after a crash has its proof, too") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  const auto order = order_to_prove(host);
  prover.answer = k_failed;
  const auto report = host.run(order);
  const auto settled = agent::report_from_disk(host.settings, order, host.clock);
  CHECK(settled.reason == Reason::proof_failed);
  CHECK(settled.message == report.message);
  CHECK(proven(settled).message == k_failed.message);
}

TEST_CASE("booting a proof has a duration of its own, and is not in that of the snapshot") {
  FakeHost host;
  FakeProver prover;
  prover.on_prove = [&host](const std::stop_token&) {
    host.clock.passed += std::chrono::seconds(40);
  };
  host.prover = &prover;
  const auto durations = host.run(order_to_prove(host)).step_durations;
  CHECK(durations.at("ProvingSnapshot").count() >= 40);
  CHECK(durations.at("Datastore").count() < 40);
  CHECK(durations.at("Datastore").count() >= 0);
  for (const auto& [step, duration] : durations) {
    CAPTURE(step);
    CHECK(std::ranges::find(agent::k_timed_steps, step) != agent::k_timed_steps.end());
  }
}

TEST_CASE("a stop in the middle of a proof ends the run, and leaves nothing") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  agent::RunControl control;
  prover.answer = k_failed;
  prover.on_prove = [&](const std::stop_token& stop) {
    std::thread([&] { control.stop(agent::StopCause::shutting_down); }).join();
    CHECK(stop.stop_requested());
  };
  const auto report = host.run(order_to_prove(host), control);
  CHECK(report.reason == Reason::interrupted);
  CHECK(host.backups().empty());
  CHECK(host.snapshots().empty());
  CHECK(host.leaks().empty());
}

TEST_CASE("where too little time is left before the deadline, no server is booted") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  auto order = order_to_prove(host);
  order.deadline = host.clock.time + std::chrono::seconds(40);
  const auto report = host.run(order);
  CHECK(report.reason == Reason::proof_unavailable);
  CHECK(prover.asked == 0);
  CHECK(sets_of(host).size() == 1);
}

TEST_CASE("a proof that takes too long is ended, and the set is stored") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  const auto order = order_to_prove(host);
  prover.answer = k_failed;
  host.settings.boot_timeout = std::chrono::seconds(1);
  bool stopped = false;
  prover.on_prove = [&](const std::stop_token& stop) {
    for (int i = 0; i < 300 && !stop.stop_requested(); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    stopped = stop.stop_requested();
  };
  const auto report = host.run(order);
  CHECK(stopped);
  CHECK(report.reason == Reason::proof_failed);
  CHECK(proven(report).message == "the scratch server was not done within 3 s");
  CHECK(sets_of(host).size() == 1);
}

TEST_CASE("missing artifacts and a missing proof are both said; a failed proof weighs more") {
  FakeHost host;
  FakeProver prover;
  host.prover = &prover;
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  prover.answer = k_unavailable;
  auto report = host.run(order_to_prove(host));
  CHECK(report.reason == Reason::incomplete);
  CHECK(report.message.find("KubeconfigMissing") != std::string::npos);
  CHECK(report.message.find("too little memory") != std::string::npos);
  prover.answer = k_failed;
  report = host.run(order_to_prove(host));
  CHECK(report.reason == Reason::proof_failed);
  CHECK(report.message.find("KubeconfigMissing") != std::string::npos);
}

TEST_CASE("an agent that can boot nothing, and an order without a snapshot, say so") {
  FakeHost host;
  CHECK(host.run(order_to_prove(host)).reason == Reason::proof_unavailable);
  FakeProver prover;
  host.prover = &prover;
  auto order = order_to_prove(host);
  order.artifacts = {api::ArtifactType::kubeconfig};
  const auto report = host.run(order);
  CHECK(report.reason == Reason::proof_unavailable);
  CHECK(proven(report).message.find("nothing to boot from") != std::string::npos);
}

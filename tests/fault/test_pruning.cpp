// What runs keep over time, and what they remove.
#include "fault/fake_host.hpp"
#include "set/marks.hpp"
#include "set/sets.hpp"
#include "support/immutable.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace rb;
using namespace rb::test;
using api::ArtifactType;
using api::find_condition;

TEST_CASE("nine runs leave seven sets; an incomplete one removes nothing and does not count") {
  FakeHost host;
  for (int i = 0; i < 8; ++i) {
    REQUIRE(host.run().succeeded());
  }
  CHECK(sets_of(host).size() == 7);
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  const auto stamp = host.backups()[".last-backup"];
  const auto incomplete = host.run();
  CHECK(incomplete.reason == api::Reason::incomplete);
  CHECK(sets_of(host).size() == 8);
  CHECK(host.backups()[".last-backup"] == stamp);
  host.scratch.write("etc-rancher/k3s/k3s.yaml", "clusters: []\n");
  const auto report = host.run();
  REQUIRE(report.succeeded());
  const auto sets = sets_of(host);
  CHECK(std::count_if(sets.begin(), sets.end(), [](const set::BackupSet& set) {
          return set.state == set::SetState::complete;
        }) == 7);
  CHECK_FALSE(report.status.pruned.empty());
}

TEST_CASE("an incomplete run removes nothing, however few sets it is told to keep") {
  FakeHost host;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(host.run().succeeded());
  }
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  auto order = host.next_order();
  order.keep_last = 1;
  const auto report = host.run(order);
  CHECK(report.reason == api::Reason::incomplete);
  CHECK(report.status.pruned.empty());
  CHECK(sets_of(host).size() == 4);
}

TEST_CASE("runs of the kubeconfig alone push no etcd snapshot out, and leave the stamp") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const auto before = host.backups();
  for (int i = 0; i < 4; ++i) {
    auto order = host.next_order();
    order.artifacts = {ArtifactType::kubeconfig};
    order.keep_last = 2;
    const auto report = host.run(order);
    CHECK(report.succeeded());
    CHECK(find_condition(report.status.conditions, "SnapshotTaken")->reason == "NotRequested");
  }
  CHECK(is_untouched(before, host.backups()));
  CHECK(sets_of(host).size() == 3);
}

TEST_CASE("runs by hand push out no set of the schedule, and are bounded among themselves") {
  FakeHost host;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(host.run().succeeded());
  }
  auto scheduled = host.backups();
  scheduled.erase(".last-backup"); // names the newest, and so does its signature
  scheduled.erase(".last-backup.minisig");
  for (int i = 0; i < 4; ++i) {
    auto order = host.next_order();
    order.manual = true;
    order.keep_last = 2;
    CHECK(host.run(order).succeeded());
  }
  CHECK(is_untouched(scheduled, host.backups()));
  CHECK(sets_of(host).size() == 5);
  auto order = host.next_order();
  order.keep_last = 2;
  const auto report = host.run(order);
  CHECK(report.status.pruned.size() == 2); // of the schedule's four
  CHECK(sets_of(host).size() == 4);
}

TEST_CASE("a clock that went back removes nothing and says so") {
  FakeHost host;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(host.run().succeeded());
  }
  const auto before = host.backups();
  host.clock.time -= std::chrono::hours(5);
  auto order = host.next_order();
  order.keep_last = 1;
  const auto report = host.run(order);
  CHECK(find_condition(report.status.conditions, "Pruned")->reason == "ClockAnomaly");
  auto after = host.backups();
  after[".last-backup"] = before.at(".last-backup");
  CHECK(is_untouched(before, after));
}

TEST_CASE("the set that was restored stays, also when it is the oldest of many") {
  FakeHost host;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(host.run().succeeded());
  }
  const std::string restored = "20261122T020100Z";
  auto directory = set::Directory::open(host.settings.backup_dir).value();
  REQUIRE(set::write_last_restore(directory, restored, host.clock.time));
  for (int i = 0; i < 3; ++i) {
    auto order = host.next_order();
    order.keep_last = 2;
    REQUIRE(host.run(order).succeeded());
  }
  const auto sets = sets_of(host);
  REQUIRE(sets.size() == 3);
  CHECK(sets.back().run_id == restored);
  REQUIRE(set::write_last_restore(directory, sets.front().run_id, host.clock.time));
  REQUIRE(host.run().succeeded());
  auto order = host.next_order();
  order.keep_last = 2;
  REQUIRE(host.run(order).succeeded());
  CHECK(sets_of(host).size() == 3); // two, and the one restored from last
  CHECK(sets_of(host).back().run_id == sets.front().run_id);
}

TEST_CASE("while nobody can tell which set was restored, nothing is removed") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  host.scratch.write("backups/.last-restore", "not JSON");
  auto order = host.next_order();
  order.keep_last = 1;
  const auto report = host.run(order);
  CHECK(report.succeeded());
  const auto* pruned = find_condition(report.status.conditions, "Pruned");
  CHECK(pruned->reason == "PruneFailed");
  CHECK(pruned->message.starts_with(".last-restore: "));
  CHECK(sets_of(host).size() == 2);
}

TEST_CASE("an immutable file in an old set ends neither pruning nor a run, and is named") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const std::string oldest = sets_of(host).back().run_id;
  const Immutable immutable(host.settings.backup_dir + "/etcd-" + oldest + ".snap.age");
  if (!immutable.holds()) {
    MESSAGE("not run here: the file system of TMPDIR has no immutable files, or we are not root");
    return;
  }
  for (int i = 0; i < 4; ++i) {
    auto order = host.next_order();
    order.keep_last = 1;
    const auto report = host.run(order);
    CHECK(report.succeeded());
    const auto* pruned = find_condition(report.status.conditions, "Pruned");
    CHECK(pruned->reason == "PruneFailed");
    CHECK(pruned->message.find("set " + oldest + " stays") != std::string::npos);
    const auto sets = sets_of(host);
    REQUIRE(sets.size() == 2); // the newest, and this one
    CHECK(sets.back().run_id == oldest);
    CHECK(sets.back().state == set::SetState::complete);
  }
}

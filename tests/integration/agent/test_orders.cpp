// Orders through a real API server, snapshots of a real etcd.
#include "bed_cluster.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <thread>

using namespace rb;
using namespace rb::test;

TEST_CASE("an order becomes a set, and its status says what the manifest says") {
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order();
  const auto done = cluster.finished(order.name);
  CAPTURE(message_of(done));
  CHECK(reason_of(done) == "Completed");
  CHECK(done.status.agent_id == "agent-1");
  CHECK(done.status.artifacts.size() == 3);
  CHECK(done.status.etcd->revision > 0);
  CHECK_FALSE(done.status.progress);
  CHECK(done.status.heartbeat_time);
  const auto kept = cluster.kept();
  const std::string manifest = kept.at("manifest-" + order.run_id + ".json");
  CHECK(manifest.find("\"revision\": " + std::to_string(done.status.etcd->revision)) !=
        std::string::npos);
  for (const auto& artifact : done.status.artifacts) {
    CHECK(manifest.find(artifact.sha256) != std::string::npos);
    CHECK(kept.at(artifact.file_name).size() == artifact.size_bytes);
  }
  CHECK(kept.contains(".last-backup"));
  CHECK(cluster.plain_snapshots().empty());
}

TEST_CASE("the agent tells what is on its disk, at its start and as soon as a run has ended") {
  BedCluster cluster;
  CHECK_FALSE(cluster.facts());
  const auto agent = cluster.start_agent("agent-1");
  REQUIRE(BedCluster::eventually([&] { return cluster.facts().has_value(); },
                                 std::chrono::seconds(30)));
  CHECK(cluster.facts()->complete_sets == 0);
  CHECK(cluster.facts()->agent_id == "agent-1");
  CHECK(cluster.facts()->disk_free_bytes > 0);
  const auto order = cluster.make_order();
  const auto done = cluster.finished(order.name);
  REQUIRE(reason_of(done) == "Completed");
  // Long before the minute is over.
  REQUIRE(BedCluster::eventually([&] { return cluster.facts()->complete_sets == 1; },
                                 std::chrono::seconds(15)));
  const auto facts = cluster.facts();
  CHECK(facts->last_success_run_id == order.run_id);
  CHECK(facts->etcd_revision == done.status.etcd->revision);
  CHECK(facts->recipients == 1);
  CHECK(facts->last_attempt_result == api::AttemptResult::succeeded);
}

TEST_CASE("two orders at once run one after the other; another node's order is left alone") {
  BedCluster cluster;
  const auto foreign = cluster.make_order({{"nodeName", "another-node"}});
  const auto first = cluster.make_order();
  const auto second = cluster.make_order();
  const auto agent = cluster.start_agent("agent-1");
  CHECK(reason_of(cluster.finished(first.name)) == "Completed");
  CHECK(reason_of(cluster.finished(second.name)) == "Completed");
  CHECK_FALSE(cluster.order(foreign.name).accepted());
}

TEST_CASE("faults of the snapshot are named over the API, and lose nothing") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  struct Row {
    const char* fault;
    const char* reason;
  };
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  CHECK(reason_of(cluster.finished(cluster.make_order().name)) == "Completed");
  const auto kept = cluster.kept();
  for (const Row& row : {Row{"silent-no-snapshot", "SnapshotFailed"},
                         Row{"truncated", "SnapshotInvalid"},
                         Row{"truncated-page", "SnapshotInvalid"},
                         Row{"zero-byte", "SnapshotInvalid"},
                         Row{"bit-flip", "SnapshotInvalid"},
                         Row{"trailer-flip", "SnapshotInvalid"},
                         Row{"no-trailer", "SnapshotInvalid"},
                         Row{"bad-db", "SnapshotInvalid"},
                         Row{"missing-file", "SnapshotFailed"},
                         Row{"unauthorized", "SnapshotFailed"},
                         Row{"exit-after-save", "SnapshotFailed"}}) {
    CAPTURE(row.fault);
    cluster.play(row.fault);
    const auto ended = cluster.finished(cluster.make_order().name);
    CAPTURE(message_of(ended));
    CHECK(reason_of(ended) == row.reason);
    CHECK(ended.status.artifacts.empty());
    CHECK(cluster.kept() == kept);
    CHECK(cluster.plain_snapshots().empty());
  }
}

TEST_CASE("odd but sound outcomes of the snapshot are successes") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  for (const std::string fault : {"timeout-but-complete timeout=3",
                                  "old-format-output",
                                  "tty-output",
                                  "duplicate-line",
                                  "noise",
                                  "delete-error"}) {
    CAPTURE(fault);
    cluster.play(fault);
    const auto ended = cluster.finished(cluster.make_order().name);
    CAPTURE(message_of(ended));
    CHECK(reason_of(ended) == "Completed");
    CHECK(cluster.plain_snapshots().empty());
  }
}

TEST_CASE("the deadline ends a run that hangs") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  cluster.play("hang");
  const auto order = cluster.make_order(
      {{"deadline", format_rfc3339(RealClock().now() + std::chrono::seconds(4))}});
  const auto ended = cluster.finished(order.name);
  CHECK(reason_of(ended) == "DeadlineExceeded");
  CHECK(cluster.kept().empty());
}

TEST_CASE("an order that comes too late is not begun") {
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order(
      {{"deadline", format_rfc3339(RealClock().now() - std::chrono::seconds(1))}});
  CHECK(reason_of(cluster.finished(order.name)) == "DeadlineExceeded");
}

TEST_CASE("an order that is deleted in mid-run is given up, and the next one runs") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  cluster.play("hang");
  const auto order = cluster.make_order();
  cluster.wait_for_step(order.name, "TakingSnapshot");
  cluster.remove_order(order.name);
  cluster.play("");
  const auto next = cluster.make_order();
  CHECK(reason_of(cluster.finished(next.name)) == "Completed");
  CHECK_FALSE(cluster.kept().contains("manifest-" + order.run_id + ".json"));
}

TEST_CASE("an agent that is killed in mid-run: its successor settles the run and clears up") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  auto agent = cluster.start_agent("agent-1");
  CHECK(reason_of(cluster.finished(cluster.make_order().name)) == "Completed");
  const auto kept = cluster.kept();
  cluster.play("delay=2");
  const auto order = cluster.make_order();
  cluster.wait_for_step(order.name, "TakingSnapshot");
  agent->end_with(SIGKILL);
  std::this_thread::sleep_for(std::chrono::seconds(3));
  // Under the same agent id, as a container that restarts within its pod.
  agent = cluster.start_agent("agent-1");
  const auto ended = cluster.finished(order.name);
  CHECK(reason_of(ended) == "Interrupted");
  CHECK(cluster.kept() == kept);
  CHECK(BedCluster::eventually([&] { return cluster.plain_snapshots().empty(); },
                               std::chrono::seconds(10)));
  cluster.play("");
  CHECK(reason_of(cluster.finished(cluster.make_order().name)) == "Completed");
}

TEST_CASE("an agent that is told to end in mid-run says so itself") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  cluster.play("hang");
  const auto order = cluster.make_order();
  cluster.wait_for_step(order.name, "TakingSnapshot");
  CHECK(agent->end_with(SIGTERM) == 0);
  const auto ended = cluster.order(order.name);
  CHECK(reason_of(ended) == "Interrupted");
  CHECK(message_of(ended).find("told to end") != std::string::npos);
}

TEST_CASE("the server goes away in mid-run: the run ends well, and is reported when it is back") {
  if (!BedCluster::plays_faults()) {
    return;
  }
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  cluster.play("delay=4");
  const auto order = cluster.make_order();
  cluster.wait_for_step(order.name, "TakingSnapshot");
  cluster.control_server("kill");
  cluster.play("");
  cluster.control_server("start");
  const auto ended = cluster.finished(order.name, std::chrono::seconds(120));
  CAPTURE(message_of(ended));
  CHECK(reason_of(ended) == "Completed");
}

TEST_CASE("a run whose set is on the disk is settled from its manifest, never run again") {
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order();
  const auto done = cluster.finished(order.name);
  REQUIRE(reason_of(done) == "Completed");
  const auto kept = cluster.kept();
  // As a restored etcd shows it: the order is there, and nobody has taken it yet.
  cluster.remove_order(order.name);
  const auto again = cluster.make_again(order);
  const auto settled = cluster.finished(again.name);
  CHECK(reason_of(settled) == "Completed");
  CHECK(message_of(settled).find("found on the disk") != std::string::npos);
  CHECK(settled.status.artifacts == done.status.artifacts);
  CHECK(cluster.kept() == kept);
}

TEST_CASE("the set of another request under the same run id settles nothing and stays") {
  BedCluster cluster;
  const auto agent = cluster.start_agent("agent-1");
  const auto order = cluster.make_order();
  REQUIRE(reason_of(cluster.finished(order.name)) == "Completed");
  const auto kept = cluster.kept();
  const auto refused = cluster.finished(cluster.make_order({{"runID", order.run_id}}).name);
  CHECK(reason_of(refused) == "StorageFailed");
  CHECK(message_of(refused).find("already") != std::string::npos);
  CHECK(cluster.kept() == kept);
}

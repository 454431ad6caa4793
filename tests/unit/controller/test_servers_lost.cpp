// A run on several servers of which some are lost, or the controller is: each server is judged by
// itself, and one whole set is enough.
#include "controller/plan.hpp"
#include "controller/summary.hpp"
#include "servers_world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using api::CopyState;
using std::chrono::seconds;

TEST_CASE("servers: the first one dies in mid-run: the best of the others is told of") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  later(observed, 10);
  end_on(observed, "cp-2");
  end_on(observed, "cp-3");
  CHECK_FALSE(observed.backups.at("uid-b").finished());
  later(observed, 80);
  settle(observed);
  CHECK_FALSE(observed.backups.at("uid-b").finished()); // its heartbeat limit is 90 s
  CHECK(plan(observed).requeue_after == seconds{1});
  later(observed, 1);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(status_of(observed).node_name == "cp-2");
  CHECK(status_of(observed).total_size_bytes == 4000);
  CHECK(copy_on(observed, "cp-1").result == CopyState::failed);
  CHECK(copy_on(observed, "cp-1").reason == "Interrupted");
  CHECK(copies(observed).reason == "Interrupted");
  CHECK(copies(observed).message.starts_with("2 of 3 servers: cp-1: the agent on node cp-1 has"));
  CHECK_FALSE(observed.orders.contains("uid-b")); // withdrawn, as of a run on one server
  CHECK(observed.orders.size() == 2);
}

TEST_CASE("servers: another one dies, or never takes its order: the first one is told of") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2"});
  end_on(observed, "cp-1");
  later(observed, 60);
  settle(observed);
  CHECK(copy_on(observed, "cp-3").reason == "AgentUnavailable"); // not taken within 60 s
  CHECK_FALSE(observed.backups.at("uid-b").finished());
  later(observed, 31);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(status_of(observed).node_name == "cp-1");
  CHECK(copy_on(observed, "cp-2").reason == "Interrupted");
  CHECK(copies(observed).message.starts_with("1 of 3 servers: cp-2: "));
}

TEST_CASE("servers: one that was given up and is heard of again counts, while the run goes on") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  later(observed, 91);
  observed.order_silence.at("uid-b") = seconds{0};
  settle(observed);
  CHECK(copy_on(observed, "cp-2").result == CopyState::failed);
  end_on(observed, "cp-2"); // its report came late
  CHECK(copy_on(observed, "cp-2").result == CopyState::succeeded);
}

TEST_CASE("servers: no whole set: the first one's reason, and an incomplete set before none") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  for (const std::string node : {"cp-1", "cp-2", "cp-3"}) {
    fail(observed, order_to(observed, node), api::Reason::snapshot_failed, "no room on " + node);
  }
  SUBCASE("none at all") {
    settle(observed);
    CHECK(succeeded(observed, "uid-b").reason == "SnapshotFailed");
    CHECK(succeeded(observed, "uid-b").message == "no room on cp-1");
    CHECK(copies(observed).message.starts_with("0 of 3 servers: cp-1: no room on cp-1; cp-2: "));
    CHECK(status_of(observed).node_name == "cp-1");
  }
  SUBCASE("one is incomplete") {
    api::NodeBackup& order = observed.orders.at(order_to(observed, "cp-3"));
    order.status.conditions.clear();
    order.spec.missing.push_back(
        {api::ArtifactType::kubeconfig, api::Reason::kubeconfig_missing, "not there"});
    finish(observed, order.meta.name);
    settle(observed);
    CHECK(succeeded(observed, "uid-b").reason == "Incomplete");
    CHECK(status_of(observed).node_name == "cp-3");
    CHECK(copy_on(observed, "cp-3").result == CopyState::incomplete);
    CHECK(api::whole_copies(status_of(observed).servers) == 0);
  }
}

TEST_CASE("servers: another controller makes the orders that are missing, with the same payload") {
  Observed observed = ordered();
  observed.orders.erase(order_to(observed, "cp-3")); // it was never made:
  for (api::ServerCopy& copy : observed.backups.at("uid-b").status.servers) {
    copy.result = copy.node_name == "cp-3" ? CopyState::pending : copy.result;
  }
  observed.memory.clear();
  settle(observed);
  REQUIRE(observed.orders.size() == 3);
  const auto& made = observed.orders.at(order_to(observed, "cp-3")).spec;
  REQUIRE(made.helm_payload);
  CHECK(made.helm_payload->config_maps ==
        observed.orders.at("uid-b").spec.helm_payload->config_maps);
  CHECK(made.missing.empty());
}

TEST_CASE("servers: a controller that ends before the first order collects the values again") {
  Observed observed = three();
  add(observed, backup("b"));
  while (status_of(observed).servers.empty()) {
    carry_out(plan(observed), observed);
  }
  REQUIRE(observed.orders.empty());
  observed.memory.clear();
  settle(observed);
  CHECK(observed.orders.size() == 3);
  CHECK(status_of(observed).servers.size() == 3);
}

TEST_CASE("servers: an order that somebody removes ends that server's part, and is not made anew") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  observed.orders.erase(order_to(observed, "cp-2"));
  settle(observed);
  CHECK(copy_on(observed, "cp-2").reason == "Interrupted");
  CHECK(copy_on(observed, "cp-2").message == "the order to node cp-2 was removed in mid-run");
  observed.memory.clear(); // what a new controller reads in the status is enough
  settle(observed);
  CHECK_FALSE(observed.orders.contains(order_to(observed, "cp-2")));
  CHECK(copy_on(observed, "cp-2").reason == "Interrupted");
  end_on(observed, "cp-1");
  end_on(observed, "cp-3");
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
}

TEST_CASE("servers: what ended well stays so when its order is removed") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  end_on(observed, "cp-1");
  end_on(observed, "cp-2");
  observed.orders.erase("uid-b");
  observed.orders.erase(order_to(observed, "cp-2"));
  fail(observed, order_to(observed, "cp-3"), api::Reason::storage_full, "full");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(status_of(observed).node_name == "cp-1");
  CHECK(status_of(observed).total_size_bytes == 4000);
  CHECK(copies(observed).message == "2 of 3 servers: cp-3: full");
}

TEST_CASE("servers: an order that the API server refuses ends that server's part") {
  Observed observed = three();
  add(observed, backup("b"));
  while (status_of(observed).servers.empty()) {
    carry_out(plan(observed), observed);
  }
  observed.memory[order_to(observed, "cp-2")].order_refused = "quota";
  settle(observed);
  CHECK(copy_on(observed, "cp-2").reason == "InternalError");
  CHECK(copy_on(observed, "cp-2").message == "quota");
  CHECK(observed.orders.size() == 2);
}

TEST_CASE("servers: recipients that go missing before the orders end the run, not half of it") {
  Observed observed = three();
  add(observed, backup("b"));
  while (status_of(observed).servers.empty()) {
    carry_out(plan(observed), observed);
  }
  observed.recipients_problem = RecipientsProblem{};
  settle(observed);
  CHECK(observed.orders.empty());
  CHECK(succeeded(observed, "uid-b").reason == "RecipientMissing");
}

TEST_CASE("servers: a ClusterBackup that is deleted in mid-run takes all orders with it") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2"});
  observed.backups.at("uid-b").meta.deletion_timestamp = observed.now;
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
  CHECK(observed.orders.empty());
  observed = ordered();
  observed.backups.clear();
  settle(observed);
  CHECK(observed.orders.empty());
  CHECK(observed.payload_runs.empty());
}

TEST_CASE("servers: the deadline is one for all") {
  Observed observed = three();
  auto request = backup("b");
  request.spec.deadline_seconds = 100;
  add(observed, request);
  settle(observed);
  take(observed, {"cp-1", "cp-2", "cp-3"});
  end_on(observed, "cp-2");
  for (int i = 0; i < 4; ++i) {
    later(observed, 30);
    for (auto& [name, silence] : observed.order_silence) {
      silence = seconds{0}; // they live
    }
    settle(observed);
  }
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(status_of(observed).node_name == "cp-2");
  CHECK(copy_on(observed, "cp-1").reason == "DeadlineExceeded");
}

TEST_CASE("servers: after a restore each agent settles its own order, and nobody waits for ever") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  // Hours later etcd is as it was then, on cp-1 alone.
  observed.now += std::chrono::hours(5);
  observed.memory.clear();
  observed.unfinished_for["uid-b"] = seconds{0};
  for (auto& [name, silence] : observed.order_silence) {
    silence = seconds{0};
  }
  settle(observed);
  CHECK_FALSE(observed.backups.at("uid-b").finished());
  end_on(observed, "cp-1"); // by the set on its disk
  CHECK_FALSE(observed.backups.at("uid-b").finished());
  later(observed, 301);
  observed.unfinished_for["uid-b"] = seconds{301};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(copy_on(observed, "cp-1").result == CopyState::succeeded);
  CHECK(copy_on(observed, "cp-2").result == CopyState::failed);
  CHECK(observed.orders.size() == 1);
}

TEST_CASE("servers: a run that an earlier release ordered goes on as it began") {
  Observed observed = three();
  add(observed, backup("b"));
  observed.backups.at("uid-b").spec.servers = api::Servers::one;
  settle(observed);
  observed.backups.at("uid-b").spec.servers = api::Servers::all;
  observed.memory.clear();
  settle(observed);
  CHECK(observed.orders.size() == 1);
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(status_of(observed).servers.empty());
}

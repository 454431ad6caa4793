// The ways in which a run ends: typed reason and message of each.
#include "controller/run_checks.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

#include <utility>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using api::Reason;
using std::chrono::seconds;

namespace {

void later(Observed& observed, int by_seconds, int silence_seconds) {
  observed.now += seconds{by_seconds};
  observed.order_silence["uid-b"] = seconds{silence_seconds};
}

} // namespace

TEST_CASE("no .sops.yaml: RecipientMissing, before anything is ordered or read") {
  Observed observed = begun();
  observed.recipients_problem = RecipientsProblem{Reason::recipient_missing,
                                                  "/etc/railiance-backup/.sops.yaml: no such file"};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::false_);
  CHECK(succeeded(observed, "uid-b").reason == "RecipientMissing");
  CHECK(succeeded(observed, "uid-b").message == "/etc/railiance-backup/.sops.yaml: no such file");
  CHECK(observed.orders.empty());
  CHECK(observed.memory.empty());
}

TEST_CASE("a malformed recipient: RecipientInvalid") {
  Observed observed = begun();
  observed.recipients_problem = RecipientsProblem{Reason::recipient_invalid, "bad"};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "RecipientInvalid");
}

TEST_CASE("recipients that go missing after the order do not end the run") {
  Observed observed = with_order();
  observed.recipients_problem = RecipientsProblem{};
  CHECK(plan(observed).empty());
}

TEST_CASE("no ready agent: the run waits 60 s, then AgentUnavailable") {
  Observed observed = begun();
  observed.agents["agent-1"].ready = false;
  CHECK(plan(observed).empty());
  CHECK(plan(observed).requeue_after == seconds{60});
  observed.now += seconds{59};
  CHECK(plan(observed).empty());
  observed.now += seconds{1};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "AgentUnavailable");
  CHECK(
      succeeded(observed, "uid-b").message.find("no ready agent on any server node within 60 s") ==
      0);
}

TEST_CASE("an agent that comes up within the wait gets the order") {
  Observed observed = begun();
  observed.agents.clear();
  settle(observed);
  CHECK(observed.orders.empty());
  observed.agents["agent-2"] = {"agent-2", "n2", true};
  settle(observed);
  CHECK(observed.orders.at("uid-b").spec.node_name == "n2");
}

TEST_CASE("no agent for the node that was asked for: AgentUnavailable names the node") {
  Observed observed = cluster();
  auto request = backup("b");
  request.spec.node_name = "n9";
  add(observed, request);
  settle(observed);
  observed.now += seconds{60};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "AgentUnavailable");
  CHECK(succeeded(observed, "uid-b").message.find("node n9") != std::string::npos);
}

namespace {

void split_roles(Observed& observed) {
  observed.agents = {{"agent-a", {"agent-a", "cp-1", true}},
                     {"agent-b", {"agent-b", "etcd-1", true}}};
  observed.servers = {{"cp-1", {api::Datastore::none}},
                      {"etcd-1", {api::Datastore::embedded_etcd}}};
}

} // namespace

TEST_CASE(
    "a named node without a datastore: DatastoreNotEtcd at once, with the nodes that have it") {
  Observed observed = cluster();
  split_roles(observed);
  auto request = backup("b");
  request.spec.node_name = "cp-1";
  add(observed, request);
  settle(observed);
  CHECK(observed.orders.empty());
  CHECK(succeeded(observed, "uid-b").reason == "DatastoreNotEtcd");
  CHECK(succeeded(observed, "uid-b").message ==
        "node cp-1 has no datastore, so there is nothing to take a snapshot of; nodes with a "
        "datastore: etcd-1; name another node with --node (spec.nodeName), or none");
}

TEST_CASE("a node that does not exist is not waited for: the nodes that exist are named") {
  Observed observed = cluster();
  split_roles(observed);
  auto request = backup("b");
  request.spec.node_name = "srv1";
  add(observed, request);
  settle(observed);
  CHECK(observed.orders.empty());
  CHECK(succeeded(observed, "uid-b").reason == "AgentUnavailable");
  CHECK(succeeded(observed, "uid-b").message ==
        "there is no node srv1 with an agent; nodes with an agent: cp-1, etcd-1; without a "
        "datastore: cp-1; name one of them with --node (spec.nodeName), or none");
}

TEST_CASE("a named node whose agent is not ready, or has just no pod, is waited for") {
  Observed observed = cluster();
  split_roles(observed);
  observed.agents["agent-b"].ready = false;
  auto request = backup("b");
  request.spec.node_name = "etcd-1";
  add(observed, request);
  settle(observed);
  CHECK_FALSE(observed.backups.at("uid-b").finished());
  observed.agents.erase("agent-b"); // replaced by the DaemonSet
  settle(observed);
  CHECK_FALSE(observed.backups.at("uid-b").finished());
}

TEST_CASE("right after the installation the run waits until the agents say who has etcd") {
  Observed observed = begun();
  split_roles(observed);
  const auto known = std::exchange(observed.servers, {});
  CHECK(plan(observed).empty());
  observed.now += seconds{10};
  observed.servers = known;
  settle(observed);
  CHECK(observed.orders.at("uid-b").spec.node_name == "etcd-1");
}

TEST_CASE("agents that never say what they have are not waited for longer than for an agent") {
  Observed observed = begun();
  split_roles(observed);
  observed.servers.clear();
  observed.now += seconds{60};
  settle(observed);
  CHECK(observed.orders.at("uid-b").spec.node_name == "cp-1");
}

TEST_CASE(
    "the agent beside etcd does not come up: AgentUnavailable names the node, no other is asked") {
  Observed observed = begun();
  split_roles(observed);
  observed.agents["agent-b"].ready = false;
  observed.now += seconds{60};
  settle(observed);
  CHECK(observed.orders.empty());
  CHECK(succeeded(observed, "uid-b").reason == "AgentUnavailable");
  CHECK(succeeded(observed, "uid-b")
            .message.starts_with("no ready agent on any node with a datastore (etcd-1; without a "
                                 "datastore: cp-1) within"));
}

TEST_CASE(
    "an order that no agent takes within 60 s: AgentUnavailable, and the order is withdrawn") {
  Observed observed = with_order();
  later(observed, 59, 59);
  CHECK(plan(observed).empty());
  later(observed, 1, 60);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "AgentUnavailable");
  CHECK(succeeded(observed, "uid-b").message ==
        "the agent on node n1 did not take the order within 60 s");
  CHECK(observed.orders.empty());
}

TEST_CASE(
    "an agent that falls silent for more than 90 s: Interrupted, and the order is withdrawn") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  settle(observed);
  later(observed, 90, 90);
  CHECK(plan(observed).empty());
  CHECK(plan(observed).requeue_after == seconds{1});
  later(observed, 1, 91);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
  CHECK(observed.orders.empty());
}

TEST_CASE("no agent is given up on the word of a watch: the API server itself is asked first") {
  Observed observed = with_order();
  SUBCASE("the order seems not to be taken") {
    later(observed, 60, 60);
  }
  SUBCASE("the agent seems to be silent") {
    accept(observed, "uid-b");
    settle(observed);
    later(observed, 91, 91);
  }
  SUBCASE("the deadline has passed") {
    accept(observed, "uid-b");
    settle(observed);
    later(observed, 3616, 5);
  }
  const Plan next = plan(observed);
  const auto* const read = only_action<ReadOrder>(next);
  REQUIRE(read != nullptr);
  CHECK(read->name == "uid-b");
  CHECK(next.statuses.empty());
  accept(observed, "uid-b"); // it had told, and a watch that had gone deaf did not
  observed.orders.at("uid-b").meta.resource_version = "9";
  finish(observed, "uid-b");
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
}

TEST_CASE("servers: no part of a run is given up on the word of a watch") {
  Observed observed;
  observed.now = k_start + seconds{60};
  for (const std::string node : {"n1", "n2"}) {
    observed.agents[node] = {node, node, true};
    observed.servers[node] = {api::Datastore::embedded_etcd, api::Member::voting};
  }
  add(observed, backup("b"));
  settle(observed);
  REQUIRE(observed.orders.size() == 2);
  for (const auto& [name, order] : observed.orders) {
    observed.order_silence[name] = seconds{60};
  }
  const Plan next = plan(observed);
  REQUIRE(next.actions.size() == 2);
  CHECK(std::holds_alternative<ReadOrder>(next.actions[0]));
  CHECK(std::holds_alternative<ReadOrder>(next.actions[1]));
  CHECK(next.statuses.empty());
}

TEST_CASE("an agent that renews its heartbeat may work until the deadline") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  settle(observed);
  later(observed, 3599, 5);
  CHECK(plan(observed).empty());
  later(observed, 15, 5);
  CHECK(plan(observed).empty()); // the grace for the agent's own report
  later(observed, 1, 5);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "DeadlineExceeded");
  CHECK(succeeded(observed, "uid-b").message == "the run did not end within 3600 s");
  CHECK(observed.orders.empty());
}

TEST_CASE("a report that comes after the deadline still counts") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  later(observed, 9999, 999);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
}

TEST_CASE("an order that somebody removes in mid-run: Interrupted, never ordered twice") {
  Observed observed = with_order();
  accept(observed, "uid-b");
  settle(observed);
  observed.orders.clear();
  REQUIRE(only_action<ReadOrder>(plan(observed)) != nullptr);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
  CHECK(succeeded(observed, "uid-b").message == "the order to node n1 was removed in mid-run");
  CHECK(observed.orders.empty());
}

TEST_CASE("an order that was seen and removed before the status told of it is not made again") {
  Observed observed = cluster();
  add(observed, backup("b"));
  settle(observed);
  REQUIRE(observed.orders.contains("uid-b"));
  // The write that names the node never came through.
  observed.backups.at("uid-b").status.node_name.clear();
  observed.memory["uid-b"].ordered = true;
  observed.orders.clear();
  settle(observed);
  CHECK(observed.orders.empty());
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
  CHECK(succeeded(observed, "uid-b").message == "the order was removed in mid-run");
}

TEST_CASE("an order that the API server refuses for good: InternalError with its words") {
  Observed observed = begun();
  observed.memory["uid-b"].helm = HelmOutcome{};
  observed.memory["uid-b"].order_refused = "POST nodebackups: forbidden";
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "InternalError");
  CHECK(succeeded(observed, "uid-b").message == "POST nodebackups: forbidden");
}

TEST_CASE("an order that could not be made until the deadline says why") {
  Observed observed = begun();
  observed.memory["uid-b"].helm = HelmOutcome{};
  observed.memory["uid-b"].order_trouble = "POST nodebackups: failed calling webhook";
  observed.now += seconds{3600};
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "DeadlineExceeded");
  CHECK(succeeded(observed, "uid-b").message ==
        "the run did not end within 3600 s; its order could not be made: POST nodebackups: failed "
        "calling webhook");
}

TEST_CASE("steps that were not reached carry the reason of the run, never Unknown") {
  Observed observed = begun();
  observed.recipients_problem = RecipientsProblem{Reason::recipient_missing, "none"};
  settle(observed);
  for (const api::Condition& condition : observed.backups.at("uid-b").status.conditions) {
    CAPTURE(condition.type);
    CHECK(condition.status == ConditionStatus::false_);
    CHECK(condition.reason == "RecipientMissing");
  }
}

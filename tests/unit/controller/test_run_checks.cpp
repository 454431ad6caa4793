// The ways in which a run ends: typed reason and message of each.
#include "controller/run_checks.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using api::ConditionStatus;
using api::Reason;
using std::chrono::seconds;

namespace {

/// Backup "b" with its run id in the status, nothing else done.
Observed begun() {
  Observed observed = cluster();
  add(observed, backup("b"));
  carry_out(plan(observed), observed);
  return observed;
}

Observed ordered() {
  Observed observed = begun();
  settle(observed);
  return observed;
}

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
  Observed observed = ordered();
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

TEST_CASE(
    "an order that no agent takes within 60 s: AgentUnavailable, and the order is withdrawn") {
  Observed observed = ordered();
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
  Observed observed = ordered();
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

TEST_CASE("an agent that renews its heartbeat may work until the deadline") {
  Observed observed = ordered();
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
  Observed observed = ordered();
  accept(observed, "uid-b");
  finish(observed, "uid-b");
  later(observed, 9999, 999);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
}

TEST_CASE("an order that somebody removes in mid-run: Interrupted, never ordered twice") {
  Observed observed = ordered();
  accept(observed, "uid-b");
  settle(observed);
  observed.orders.clear();
  REQUIRE(only_action<ConfirmOrderGone>(plan(observed)) != nullptr);
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "Interrupted");
  CHECK(succeeded(observed, "uid-b").message == "the order to node n1 was removed in mid-run");
  CHECK(observed.orders.empty());
}

TEST_CASE("an order that the API server refuses for good: InternalError with its words") {
  Observed observed = begun();
  observed.memory["uid-b"].helm = HelmOutcome{};
  observed.memory["uid-b"].order_refused = "POST nodebackups: forbidden";
  settle(observed);
  CHECK(succeeded(observed, "uid-b").reason == "InternalError");
  CHECK(succeeded(observed, "uid-b").message == "POST nodebackups: forbidden");
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

// A run on several servers, as a specification: which servers, one order for each, and what the
// status says of each and of the whole.
#include "controller/agents.hpp"
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
namespace type = api::condition_type;

namespace {

const api::Condition* replicated_of(const Observed& observed) {
  return api::find_condition(status_of(observed).conditions, type::k_replicated);
}

/// The off-site process of that node says so, and the run's status follows.
void say_copied(Observed& observed,
                const std::string& node,
                ConditionStatus value,
                const std::string& message) {
  const api::Reason reason = value == ConditionStatus::true_     ? api::Reason::completed
                             : value == ConditionStatus::unknown ? api::Reason::pending
                                                                 : api::Reason::remote_unreachable;
  for (auto& [name, order] : observed.orders) {
    if (order.spec.node_name == node) {
      api::set_condition(order.status.conditions,
                         condition(type::k_replicated, value, reason, message),
                         observed.now);
    }
  }
  settle(observed);
  REQUIRE(plan(observed).empty());
  REQUIRE(replicated_of(observed) != nullptr);
}

} // namespace

TEST_CASE("servers: which ones is in the status before the first order is made") {
  Observed observed = three();
  auto request = backup("b");
  request.spec.artifacts = {api::ArtifactType::datastore};
  add(observed, request);
  carry_out(plan(observed), observed); // run id
  const Plan announced = plan(observed);
  CHECK(announced.actions.empty());
  REQUIRE(announced.statuses.size() == 1);
  CHECK(announced.statuses[0].status.servers.size() == 3);
  CHECK(announced.statuses[0].status.node_name == "cp-1");
  carry_out(announced, observed);
  const Plan orders = plan(observed);
  CHECK(orders.statuses.empty());
  CHECK(orders.actions.size() == 3);
}

TEST_CASE("servers: each has one order, with the same run id, deadline and payload") {
  const Observed observed = ordered();
  REQUIRE(observed.orders.size() == 3);
  const api::NodeBackupSpec& first = observed.orders.at("uid-b").spec;
  CHECK(first.node_name == "cp-1");
  REQUIRE(first.helm_payload);
  for (const std::string node : {"cp-2", "cp-3"}) {
    const api::NodeBackup& order = observed.orders.at(order_to(observed, node));
    CHECK(order.spec.node_name == node);
    CHECK(order.meta.name.starts_with("uid-b-"));
    CHECK(order.meta.controller_owner->uid == "uid-b");
    CHECK(order.spec.run_id == first.run_id);
    CHECK(order.spec.deadline == first.deadline);
    CHECK(order.spec.helm_payload->config_maps == first.helm_payload->config_maps);
    CHECK(order.spec.helm->releases == first.helm->releases);
  }
}

TEST_CASE("servers: an order names all of them, with address and key") {
  Observed observed = three();
  set_ready(observed, "cp-3", false); // down, and still one of them
  observed.servers["gone"] = {api::Datastore::embedded_etcd, {}, "10.0.0.9", k_key}; // no pod
  observed.agents["agent-w"] = {"agent-w", "cp-4", true};
  observed.servers["cp-4"] = {api::Datastore::none};
  observed = ordered(std::move(observed));
  for (const auto& [name, order] : observed.orders) {
    CHECK(order.spec.servers == std::vector<api::ServerEntry>{{"cp-1", "10.0.0.1", k_key},
                                                              {"cp-2", "10.0.0.2", k_key},
                                                              {"cp-3", "10.0.0.3", k_key}});
  }
  CHECK(ordered(cluster()).orders.at("uid-b").spec.servers.empty());
}

TEST_CASE("servers: the run ends when each has ended, and Copies is True when all are whole") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  CHECK(copies(observed).status == ConditionStatus::unknown);
  end_on(observed, "cp-1");
  CHECK_FALSE(observed.backups.at("uid-b").finished());
  CHECK(copy_on(observed, "cp-1").result == CopyState::succeeded);
  CHECK(copy_on(observed, "cp-2").result == CopyState::running);
  CHECK(observed.payload_runs.contains("uid-b")); // another one may still fetch it
  end_on(observed, "cp-3");
  end_on(observed, "cp-2");
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(succeeded(observed, "uid-b").message.ends_with("; on 3 of 3 servers"));
  CHECK(copies(observed).status == ConditionStatus::true_);
  CHECK(copies(observed).reason == "Completed");
  CHECK(copies(observed).message == "3 of 3 servers");
  CHECK(status_of(observed).node_name == "cp-1");
  CHECK(status_of(observed).total_size_bytes == 4000);
  for (const api::ServerCopy& copy : status_of(observed).servers) {
    CHECK(copy.size_bytes == 4000);
    CHECK(copy.revision == 42);
    CHECK(copy.completion_time == observed.now);
  }
  CHECK(observed.payload_runs.empty());
  CHECK(plan(observed).empty());
}

TEST_CASE("servers: one that cannot be ordered from is said, and nobody waits for it") {
  Observed observed = three();
  std::string reason;
  std::string said;
  SUBCASE("its agent is not ready") {
    set_ready(observed, "cp-3", false);
    reason = "AgentUnavailable";
    said = "its agent is not ready";
  }
  SUBCASE("its member is a learner") {
    observed.servers["cp-3"].member = api::Member::learner;
    reason = "MemberNotVoting";
    said = "its etcd member is a learner: it has joined and does not vote yet";
  }
  SUBCASE("its member has no quorum") {
    observed.servers["cp-3"].member = api::Member::no_quorum;
    reason = "NoQuorum";
    said = "its etcd member has lost the others: it has no quorum";
  }
  SUBCASE("its agent never said what it has") {
    observed.servers["cp-3"].datastore = api::Datastore::unknown;
    reason = "AgentUnavailable";
    said = "its agent does not say which datastore it has";
  }
  observed = ordered(std::move(observed));
  CHECK(observed.orders.size() == 2);
  CHECK(copy_on(observed, "cp-3").result == CopyState::left_out);
  CHECK(copy_on(observed, "cp-3").reason == reason);
  take(observed, {"cp-1", "cp-2"});
  end_on(observed, "cp-1");
  end_on(observed, "cp-2");
  CHECK(succeeded(observed, "uid-b").status == ConditionStatus::true_);
  CHECK(copies(observed).status == ConditionStatus::false_);
  CHECK(copies(observed).reason == reason);
  CHECK(copies(observed).message == "2 of 3 servers: cp-3: " + said);
}

TEST_CASE("servers: a member that nobody could ask is ordered from: its agent will say why not") {
  Observed observed = three();
  observed.servers["cp-2"].member = api::Member::unknown;
  CHECK(ordered(std::move(observed)).orders.size() == 3);
}

TEST_CASE("servers: one that comes up in mid-run is not taken in") {
  Observed observed = three();
  set_ready(observed, "cp-3", false);
  observed = ordered(std::move(observed));
  set_ready(observed, "cp-3", true);
  settle(observed);
  CHECK(observed.orders.size() == 2);
}

TEST_CASE("servers: a learner is no first server while another one votes") {
  Observed observed = three();
  observed.servers["cp-1"].member = api::Member::learner;
  observed = ordered(std::move(observed));
  CHECK(observed.orders.at("uid-b").spec.node_name == "cp-2");
  CHECK(copy_on(observed, "cp-1").result == CopyState::left_out);
}

TEST_CASE("servers: a run on one server says nothing of others") {
  Observed observed = three();
  auto request = backup("b");
  SUBCASE("by spec.servers") {
    request.spec.servers = api::Servers::one;
  }
  SUBCASE("by spec.nodeName") {
    request.spec.node_name = "cp-1";
  }
  SUBCASE("there is no other one") {
    observed.agents.erase("agent-cp-2");
    observed.agents.erase("agent-cp-3");
  }
  SUBCASE("the others have no etcd") {
    observed.servers["cp-2"].datastore = api::Datastore::none;
    observed.servers["cp-3"].datastore = api::Datastore::none;
  }
  SUBCASE("it is SQLite") {
    for (auto& [node, facts] : observed.servers) {
      facts.datastore = api::Datastore::sqlite;
    }
  }
  add(observed, request);
  settle(observed);
  CHECK(observed.orders.size() == 1);
  CHECK(status_of(observed).servers.empty());
  CHECK(status_of(observed).conditions.size() == 7);
  CHECK(status_of(observed).node_name == "cp-1");
}

TEST_CASE("servers: agents that are up and have not spoken yet are waited for as any agent") {
  Observed observed = three();
  observed.servers.erase("cp-2");
  auto request = backup("b");
  request.spec.artifacts = {api::ArtifactType::datastore};
  add(observed, request);
  settle(observed);
  CHECK(observed.orders.empty());
  SUBCASE("it speaks") {
    observed.servers["cp-2"] = {api::Datastore::embedded_etcd, api::Member::voting};
    settle(observed);
    CHECK(observed.orders.size() == 3);
  }
  SUBCASE("it does not") {
    observed.now += seconds{60};
    settle(observed);
    CHECK(observed.orders.size() == 2);
    CHECK(copy_on(observed, "cp-2").result == CopyState::left_out);
  }
}

TEST_CASE("servers: of copies off-site the status tells of the set of each server") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  for (const std::string node : {"cp-1", "cp-2", "cp-3"}) {
    end_on(observed, node);
  }
  CHECK(replicated_of(observed) == nullptr); // off-site is not set up

  say_copied(observed, "cp-1", ConditionStatus::true_, "copied");
  CHECK(replicated_of(observed)->status == ConditionStatus::unknown);
  CHECK(replicated_of(observed)->reason == "Pending");
  CHECK(replicated_of(observed)->message ==
        "1 of 3 copied, not cp-2, cp-3; cp-2: nothing is said of it yet");

  say_copied(observed, "cp-2", ConditionStatus::unknown, "is to be copied");
  say_copied(observed, "cp-3", ConditionStatus::false_, "no route");
  CHECK(replicated_of(observed)->status == ConditionStatus::false_);
  CHECK(replicated_of(observed)->reason == "RemoteUnreachable");
  CHECK(replicated_of(observed)->message == "1 of 3 copied, not cp-2, cp-3; cp-3: no route");

  say_copied(observed, "cp-2", ConditionStatus::true_, "copied");
  CHECK(replicated_of(observed)->status == ConditionStatus::false_); // as long as one has failed
  CHECK(replicated_of(observed)->message == "2 of 3 copied, not cp-3; cp-3: no route");

  say_copied(observed, "cp-3", ConditionStatus::true_, "copied");
  CHECK(replicated_of(observed)->status == ConditionStatus::true_);
  CHECK(replicated_of(observed)->reason == "Completed");
  CHECK(replicated_of(observed)->message == "3 of 3 copied and read back");
}

TEST_CASE("servers: where there is no whole set no copy off-site is missing") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  fail(observed, order_to(observed, "cp-1"), api::Reason::storage_full, "full");
  end_on(observed, "cp-2");
  SUBCASE("one whole set: it is as its agent says") {
    fail(observed, order_to(observed, "cp-3"), api::Reason::storage_full, "full");
    settle(observed);
    say_copied(observed, "cp-2", ConditionStatus::true_, "copied to there");
    CHECK(replicated_of(observed)->message == "copied to there");
  }
  SUBCASE("two") {
    end_on(observed, "cp-3");
    say_copied(observed, "cp-2", ConditionStatus::true_, "copied");
    say_copied(observed, "cp-3", ConditionStatus::true_, "copied");
    CHECK(replicated_of(observed)->message == "2 of 2 copied and read back");
  }
  SUBCASE("one whose proof failed is copied, too") {
    fail(observed, order_to(observed, "cp-3"), api::Reason::proof_failed, "no boot");
    settle(observed);
    say_copied(observed, "cp-3", ConditionStatus::false_, "no route");
    CHECK(replicated_of(observed)->message == "0 of 2 copied, not cp-2, cp-3; cp-3: no route");
  }
}

TEST_CASE("servers: the next run begins where the last set is") {
  Observed observed = ordered();
  take(observed, {"cp-1", "cp-2", "cp-3"});
  end_on(observed, "cp-2");
  fail(observed, "uid-b", api::Reason::storage_full, "full");
  end_on(observed, "cp-3");
  REQUIRE(status_of(observed).node_name == "cp-2");
  CHECK(choose_node(observed, backup("next", 100)) == "cp-2");
}

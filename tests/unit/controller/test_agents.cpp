#include "controller/agents.hpp"
#include "world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

namespace {

nlohmann::json pod(const char* ready) {
  return {{"metadata", {{"name", "agent-x"}}},
          {"spec", {{"nodeName", "n1"}}},
          {"status", {{"conditions", {{{"type", "Ready"}, {"status", ready}}}}}}};
}

/// A run that stored something there.
api::ClusterBackup done_on(const char* node) {
  auto done = backup("done");
  done.status.node_name = node;
  done.status.run_id = "20260101T000000Z";
  done.status.total_size_bytes = 5;
  done.status.conditions = {
      condition("Succeeded", api::ConditionStatus::true_, api::Reason::completed)};
  return done;
}

} // namespace

TEST_CASE("a pod is an agent on its node, ready as its condition says") {
  CHECK(agent_from_pod(pod("True")).value() == Agent{"agent-x", "n1", true});
  CHECK_FALSE(agent_from_pod(pod("False")).value().ready);
}

TEST_CASE("a pod that is being deleted is not ready, one without conditions neither") {
  auto going = pod("True");
  going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  CHECK_FALSE(agent_from_pod(going).value().ready);
  CHECK_FALSE(agent_from_pod({{"metadata", {{"name", "a"}}}, {"spec", nlohmann::json::object()}})
                  .value()
                  .ready);
}

TEST_CASE("what is no pod is refused") {
  CHECK(agent_from_pod(nlohmann::json::array()).error().code == ErrorCode::corrupt);
  CHECK(agent_from_pod({{"metadata", {{"name", 3}}}, {"spec", {}}}).error().code ==
        ErrorCode::corrupt);
}

TEST_CASE("without a wish, sets stay on the node of the latest run that stored something") {
  Observed observed = cluster();
  observed.agents["agent-0"] = {"agent-0", "n0", true};
  CHECK(choose_node(observed, backup("b")) == "n0");
  add(observed, done_on("n1"));
  CHECK(choose_node(observed, backup("b")) == "n1");
  observed.agents["agent-1"].ready = false;
  CHECK(choose_node(observed, backup("b")) == "n0");
}

TEST_CASE("a pod that is not yet on a node gets no order") {
  Observed observed;
  observed.agents["agent-0"] = {"agent-0", "", true};
  CHECK_FALSE(choose_node(observed, backup("b")));
}

namespace {

/// u12: the control plane without etcd sorts before the server that has it.
Observed split_roles() {
  Observed observed;
  observed.now = k_start + std::chrono::seconds{60};
  observed.agents["agent-a"] = {"agent-a", "cp-1", true};
  observed.agents["agent-b"] = {"agent-b", "etcd-1", true};
  observed.servers = {{"cp-1", {api::Datastore::none}},
                      {"etcd-1", {api::Datastore::embedded_etcd}}};
  return observed;
}

} // namespace

TEST_CASE("of split roles, the run goes to the server with etcd") {
  CHECK(choose_node(split_roles(), backup("b")) == "etcd-1");
  CHECK_FALSE(is_better_to_wait(split_roles(), backup("b")));
}

TEST_CASE("the node of the latest run is left when its etcd is gone") {
  Observed observed = split_roles();
  add(observed, done_on("cp-1"));
  CHECK(choose_node(observed, backup("b")) == "etcd-1");
}

TEST_CASE("the node of the latest run is kept while its agent says nothing of the datastore") {
  Observed observed = split_roles();
  observed.servers.erase("cp-1");
  add(observed, done_on("cp-1"));
  CHECK(choose_node(observed, backup("b")) == "cp-1");
  CHECK_FALSE(is_better_to_wait(observed, backup("b")));
}

TEST_CASE("while two may have etcd and neither agent has said so, the run waits for their word") {
  Observed observed = split_roles();
  observed.servers.clear();
  CHECK(is_better_to_wait(observed, backup("b")));
  observed.servers["cp-1"].datastore = api::Datastore::none; // etcd-1 alone is left
  CHECK(choose_node(observed, backup("b")) == "etcd-1");
  CHECK_FALSE(is_better_to_wait(observed, backup("b")));
}

TEST_CASE("an agent of an earlier release, and one alone, are not waited for") {
  Observed observed = split_roles();
  observed.servers = {{"cp-1", {api::Datastore::unknown}}, {"etcd-1", {api::Datastore::unknown}}};
  CHECK_FALSE(is_better_to_wait(observed, backup("b")));
  CHECK(choose_node(observed, backup("b")) == "cp-1");
  CHECK_FALSE(is_better_to_wait(cluster(), backup("b")));
}

TEST_CASE("the server with etcd is waited for when only its agent is not ready") {
  Observed observed = split_roles();
  observed.agents["agent-b"].ready = false;
  CHECK(is_better_to_wait(observed, backup("b")));
  CHECK_FALSE(choose_node(observed, backup("b")));
}

TEST_CASE("where no agent knows of a datastore, one is asked all the same: it says why") {
  Observed observed = split_roles();
  observed.servers["etcd-1"].datastore = api::Datastore::none;
  CHECK(choose_node(observed, backup("b")) == "cp-1");
}

TEST_CASE("a server on SQLite is as good as one with etcd, an external one better than nothing") {
  Observed observed = split_roles();
  observed.servers["etcd-1"].datastore = api::Datastore::sqlite;
  CHECK(choose_node(observed, backup("b")) == "etcd-1");
  CHECK_FALSE(is_better_to_wait(observed, backup("b")));
  observed.servers["etcd-1"].datastore = api::Datastore::external;
  CHECK(choose_node(observed, backup("b")) == "etcd-1");
}

TEST_CASE("a run without an etcd snapshot may go to any server") {
  auto request = backup("b");
  request.spec.artifacts = {api::ArtifactType::kubeconfig};
  CHECK(choose_node(split_roles(), request) == "cp-1");
  request.spec.node_name = "cp-1";
  CHECK_FALSE(names_wrong_node(split_roles(), request));
}

TEST_CASE("a named node without a datastore is the wrong one, when another has it") {
  auto request = backup("b");
  request.spec.node_name = "cp-1";
  CHECK(names_wrong_node(split_roles(), request));
  request.spec.node_name = "etcd-1";
  CHECK_FALSE(names_wrong_node(split_roles(), request));
  request.spec.node_name = "cp-1";
  Observed alone = split_roles();
  alone.servers["etcd-1"].datastore = api::Datastore::none;
  CHECK_FALSE(names_wrong_node(alone, request));
}

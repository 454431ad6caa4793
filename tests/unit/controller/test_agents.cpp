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
  auto done = backup("done");
  done.status.node_name = "n1";
  done.status.run_id = "20260101T000000Z";
  done.status.total_size_bytes = 5;
  done.status.conditions = {
      condition("Succeeded", api::ConditionStatus::true_, api::Reason::completed)};
  add(observed, done);
  CHECK(choose_node(observed, backup("b")) == "n1");
  observed.agents["agent-1"].ready = false;
  CHECK(choose_node(observed, backup("b")) == "n0");
}

TEST_CASE("a pod that is not yet on a node gets no order") {
  Observed observed;
  observed.agents["agent-0"] = {"agent-0", "", true};
  CHECK_FALSE(choose_node(observed, backup("b")));
}

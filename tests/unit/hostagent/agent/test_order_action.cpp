#include "agent/order_action.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

namespace {

const SystemTime k_now{std::chrono::seconds(1795348320)};

api::NodeBackup order() {
  api::NodeBackup order;
  order.spec.node_name = "vm";
  order.spec.deadline = k_now + std::chrono::hours(1);
  return order;
}

OrderContext context() {
  return {"vm", false, false, k_now};
}

} // namespace

TEST_CASE("a new order of our node is run, another node's is not") {
  CHECK(decide(order(), context()) == OrderAction::run);
  auto other = order();
  other.spec.node_name = "vm2";
  CHECK(decide(other, context()) == OrderAction::ignore);
}

TEST_CASE("an order that has ended, or goes, or is in our hands, is left alone") {
  auto ended = order();
  ended.status.conditions = {{"Succeeded", api::ConditionStatus::false_, "StorageFull", "", k_now}};
  CHECK(decide(ended, context()) == OrderAction::ignore);
  auto going = order();
  going.meta.deletion_timestamp = k_now;
  CHECK(decide(going, context()) == OrderAction::ignore);
  auto held = context();
  held.in_our_hands = true;
  CHECK(decide(order(), held) == OrderAction::ignore);
}

TEST_CASE("an order that another process took is settled, even under our own agent id") {
  auto taken = order();
  taken.status.start_time = k_now;
  taken.status.agent_id = "a";
  CHECK(decide(taken, context()) == OrderAction::settle);
}

TEST_CASE("a run whose set is on the disk is never run again") {
  auto found = context();
  found.set_on_disk = true;
  CHECK(decide(order(), found) == OrderAction::settle);
}

TEST_CASE("an order that comes after its deadline is not begun") {
  auto late = context();
  late.now = k_now + std::chrono::hours(1);
  CHECK(decide(order(), late) == OrderAction::expire);
  late.set_on_disk = true; // a restored cluster asks what became of it
  CHECK(decide(order(), late) == OrderAction::settle);
}

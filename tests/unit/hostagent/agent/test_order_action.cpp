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
  return {"vm", false, false, k_now, "me", false, "a", {}};
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

TEST_CASE("an order that another agent has just taken is left to it for a while") {
  auto taken = order();
  taken.status.start_time = k_now;
  taken.status.agent_id = "b";
  auto seen = context();
  CHECK(decide(taken, seen) == OrderAction::wait);
  seen.unchanged_for = k_other_agent_grace - std::chrono::milliseconds(1);
  CHECK(decide(taken, seen) == OrderAction::wait);
  seen.unchanged_for = k_other_agent_grace;
  CHECK(decide(taken, seen) == OrderAction::settle);
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

TEST_CASE("an acceptance that got no answer and arrived is our own: the run begins") {
  auto taken = order();
  taken.status.start_time = k_now;
  taken.status.agent_id = "a";
  taken.status.instance_id = "me";
  auto open = context();
  open.acceptance_open = true;
  CHECK(decide(taken, open) == OrderAction::run);
  CHECK(decide(order(), open) == OrderAction::run); // it did not arrive

  SUBCASE("the process before, in the same pod, is not us") {
    taken.status.instance_id = "before";
    CHECK(decide(taken, open) == OrderAction::settle);
  }
  SUBCASE("an agent of an older version left no mark") {
    taken.status.instance_id.clear();
    open.instance_id.clear();
    CHECK(decide(taken, open) == OrderAction::settle);
  }
  SUBCASE("a run that we carried out is not begun again when etcd is restored to its middle") {
    open.acceptance_open = false;
    CHECK(decide(taken, open) == OrderAction::settle);
  }
  SUBCASE("a set that is there already ends it") {
    open.set_on_disk = true;
    CHECK(decide(taken, open) == OrderAction::settle);
  }
  SUBCASE("not after the deadline") {
    open.now = k_now + std::chrono::hours(1);
    CHECK(decide(taken, open) == OrderAction::expire);
  }
}

TEST_CASE("a write without an answer may have arrived; a refusal has not") {
  const auto failed = [](ErrorCode code, int http_status) {
    Error error{code, "PATCH: no", {}};
    error.http_status = http_status;
    return error;
  };
  CHECK(may_have_arrived(failed(ErrorCode::unavailable, 0))); // the connection broke
  CHECK(may_have_arrived(failed(ErrorCode::timeout, 0)));
  CHECK(may_have_arrived(failed(ErrorCode::corrupt, 200)));     // an answer that was cut
  CHECK(may_have_arrived(failed(ErrorCode::unavailable, 504))); // from a proxy, after the write
  CHECK(may_have_arrived(failed(ErrorCode::conflict, 409)));    // with what was sent before it
  CHECK_FALSE(may_have_arrived(failed(ErrorCode::not_found, 404)));
  CHECK_FALSE(may_have_arrived(failed(ErrorCode::permission_denied, 403)));
  CHECK_FALSE(may_have_arrived(failed(ErrorCode::throttled, 429)));
}

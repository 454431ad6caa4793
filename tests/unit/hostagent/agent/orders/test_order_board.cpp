#include "agent/orders/order_board.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

namespace {

nlohmann::json order(const std::string& uid, const std::string& created, const std::string& node) {
  return {{"metadata",
           {{"name", uid}, {"uid", uid}, {"resourceVersion", "1"}, {"creationTimestamp", created}}},
          {"spec",
           {{"clusterBackupName", "b"},
            {"runID", "20261122T115200Z"},
            {"nodeName", node},
            {"artifacts", {"Kubeconfig"}},
            {"keepLast", 7},
            {"deadline", "2026-11-22T12:00:00Z"}}}};
}

std::string next_of(OrderBoard& board) {
  const auto next = board.next(std::chrono::milliseconds(10), {});
  return next ? next->meta.uid : "";
}

} // namespace

TEST_CASE("the oldest order of our node comes first, and none before the list is whole") {
  OrderBoard board("vm");
  board.on_upsert(order("young", "2026-11-22T11:52:02Z", "vm"));
  board.on_upsert(order("foreign", "2026-11-22T11:52:00Z", "vm2"));
  CHECK(next_of(board).empty());
  board.on_upsert(order("old", "2026-11-22T11:52:01Z", "vm"));
  board.on_synced();
  CHECK(next_of(board) == "old");
  board.close("old");
  CHECK(next_of(board) == "young");
  board.close("young");
  CHECK(next_of(board).empty());
}

TEST_CASE("an order that was set aside comes back when it changes") {
  OrderBoard board("vm");
  auto object = order("a", "2026-11-22T11:52:02Z", "vm");
  board.on_upsert(object);
  board.on_synced();
  board.set_aside(*board.next(std::chrono::milliseconds(10), {}));
  CHECK(next_of(board).empty());
  object["metadata"]["resourceVersion"] = "2";
  board.on_upsert(object);
  CHECK(next_of(board) == "a");
}

TEST_CASE("an object that cannot be read hides no other") {
  OrderBoard board("vm");
  board.on_upsert({{"metadata", {{"name", "x"}}}});
  board.on_upsert(order("a", "2026-11-22T11:52:02Z", "vm"));
  board.on_synced();
  CHECK(next_of(board) == "a");
}

TEST_CASE("deleting the order stops its run, and no other") {
  OrderBoard board("vm");
  board.on_upsert(order("a", "2026-11-22T11:52:02Z", "vm"));
  board.on_upsert(order("b", "2026-11-22T11:52:03Z", "vm"));
  const auto control = std::make_shared<RunControl>();
  board.begin_run("a", control);
  board.on_delete({"", "b", "b"});
  CHECK(control->cause() == StopCause::none);
  board.on_delete({"", "a", "a"});
  CHECK(control->cause() == StopCause::order_deleted);
  CHECK_FALSE(board.exists("a"));
}

TEST_CASE("an order that is gone before its run begins stops it at once") {
  OrderBoard board("vm");
  const auto control = std::make_shared<RunControl>();
  board.begin_run("a", control);
  CHECK(control->token().stop_requested());
}

TEST_CASE("an order that had ended and is unfinished again is given out again: etcd was restored") {
  OrderBoard board("vm");
  auto object = order("a", "2026-11-22T11:52:02Z", "vm");
  board.on_upsert(object);
  board.on_synced();
  board.close("a");
  board.on_upsert(object); // a late event of the run itself
  CHECK(next_of(board).empty());
  auto ended = object;
  ended["status"]["conditions"] = {{{"type", "Succeeded"},
                                    {"status", "True"},
                                    {"reason", "Completed"},
                                    {"lastTransitionTime", "2026-11-22T11:53:00Z"}}};
  board.on_upsert(ended);
  CHECK(next_of(board).empty());
  board.on_upsert(object);
  CHECK(next_of(board) == "a");
}

TEST_CASE("an order whose report was lost in a restore is given out again after the new list") {
  OrderBoard board("vm");
  const auto object = order("a", "2026-11-22T11:52:02Z", "vm");
  board.on_upsert(object);
  board.on_synced();
  board.close("a"); // begun
  board.begin_run("a", std::make_shared<RunControl>());
  board.on_upsert(object);
  board.on_synced(); // a list in mid-run
  CHECK(board.exists("a"));
  board.close("a"); // reported; the event of it never came
  board.end_run();
  CHECK(next_of(board).empty());
  board.on_upsert(object);
  board.on_synced();
  CHECK(next_of(board) == "a");
}

namespace {

const SystemTime k_now{std::chrono::seconds(1795348320)};

api::NodeBackup order() {
  api::NodeBackup order;
  order.spec.node_name = "vm";
  order.spec.deadline = k_now + std::chrono::hours(1);
  return order;
}

OrderContext context() {
  return {"vm", false, k_now, "me", false, "a", {}};
}

} // namespace

TEST_CASE("a new order of our node is run, another node's is not") {
  CHECK(decide(order(), context()) == OrderAction::run);
  auto other = order();
  other.spec.node_name = "vm2";
  CHECK(decide(other, context()) == OrderAction::ignore);
}

TEST_CASE("an order that has ended, or goes, is left alone") {
  auto ended = order();
  ended.status.conditions = {{"Succeeded", api::ConditionStatus::false_, "StorageFull", "", k_now}};
  CHECK(decide(ended, context()) == OrderAction::ignore);
  auto going = order();
  going.meta.deletion_timestamp = k_now;
  CHECK(decide(going, context()) == OrderAction::ignore);
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

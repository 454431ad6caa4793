#include "agent/order_board.hpp"

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

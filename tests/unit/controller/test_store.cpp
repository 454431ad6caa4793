// The store: what the watchers say becomes what the planner sees.
#include "controller/store.hpp"
#include "world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using std::chrono::seconds;

namespace {

class SetClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override { return steady; }
  void pass(seconds by) {
    time += by;
    steady += by;
  }
  SystemTime time = k_start;
  std::chrono::steady_clock::time_point steady{};
};

nlohmann::json backup_json(const std::string& uid, const char* name = "b") {
  return {{"metadata", {{"name", name}, {"uid", uid}, {"resourceVersion", "1"}}}};
}

nlohmann::json running_backup() {
  auto object = backup_json("uid-b");
  object["status"] = {{"runID", "20260101T020000Z"}, {"startTime", "2026-01-01T02:00:00Z"}};
  return object;
}

nlohmann::json order_json(const char* heartbeat) {
  return {{"metadata", {{"name", "uid-b"}, {"uid", "o"}}},
          {"spec",
           {{"clusterBackupName", "b"},
            {"runID", "20260101T020000Z"},
            {"nodeName", "n1"},
            {"artifacts", {"EtcdSnapshot"}},
            {"keepLast", 7},
            {"deadline", "2026-01-01T03:00:00Z"}}},
          {"status", {{"startTime", "2026-01-01T02:00:00Z"}, {"heartbeatTime", heartbeat}}}};
}

/// The API server, where it is asked for the order, says no more than was seen.
bool ends_with_reason(Store& store,
                      const std::string& reason,
                      const char* heartbeat = "2026-01-01T02:00:00Z") {
  if (only_action<ReadOrder>(store.make_plan(std::nullopt)) != nullptr) {
    CHECK(store.asked_order("uid-b", order_json(heartbeat)));
  }
  const Plan plan = store.make_plan(std::nullopt);
  return plan.statuses.size() == 1 && plan.statuses[0].event &&
         plan.statuses[0].event->reason == reason;
}

} // namespace

TEST_CASE("a run id is remembered when its object is gone") {
  SetClock clock;
  clock.time = SystemTime{*parse_run_id("20260101T020000Z")};
  Store store(clock, {});
  store.upsert_backup(running_backup());
  store.remove_backup("uid-b");
  store.upsert_backup(backup_json("uid-c", "c"));
  CHECK(store.make_plan(std::nullopt).empty());
  clock.pass(seconds{1});
  CHECK(store.make_plan(std::nullopt).statuses.at(0).status.run_id == "20260101T020001Z");
}

TEST_CASE("an object that cannot be read is left out and does no harm") {
  const SetClock clock;
  Store store(clock, {});
  store.upsert_backup(nlohmann::json::array());
  store.upsert_order({{"metadata", nullptr}});
  store.upsert_agent({});
  CHECK(store.make_plan(std::nullopt).empty());
}

TEST_CASE("an answer that the watch has overtaken is left out; the watch is always believed") {
  const SetClock clock;
  Store store(clock, {});
  auto old_backup = backup_json("uid-b");
  old_backup["metadata"]["resourceVersion"] = "9";
  auto new_backup = backup_json("uid-b"); // being deleted: nothing to do
  new_backup["metadata"]["resourceVersion"] = "10";
  new_backup["metadata"]["deletionTimestamp"] = "2026-01-01T02:00:00Z";
  store.upsert_backup(new_backup);
  CHECK(store.make_plan(std::nullopt).empty());
  store.answered_backup(old_backup);
  CHECK(store.make_plan(std::nullopt).empty());
  store.upsert_backup(old_backup); // etcd was restored: versions begin again
  CHECK_FALSE(store.make_plan(std::nullopt).empty());
  auto other = new_backup;
  other["metadata"]["uid"] = "uid-other";
  other["metadata"]["resourceVersion"] = "3";
  store.answered_backup(other); // of the same name
  CHECK(store.make_plan(std::nullopt).empty());
}

TEST_CASE("silence is counted from when we saw the heartbeat change, whatever it says") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup(running_backup());
  store.upsert_order(order_json("1999-01-01T00:00:00Z"));
  clock.pass(seconds{80});
  CHECK_FALSE(ends_with_reason(store, "Interrupted", "1999-01-01T00:00:00Z"));
  store.upsert_order(order_json("1999-01-01T00:00:15Z"));
  clock.pass(seconds{80});
  store.upsert_order(order_json("1999-01-01T00:00:15Z")); // seen again, not changed
  clock.pass(seconds{11});
  CHECK(ends_with_reason(store, "Interrupted", "1999-01-01T00:00:15Z"));
}

TEST_CASE("a new term gives a silent agent its time again") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup(running_backup());
  store.upsert_order(order_json("2026-01-01T02:00:00Z"));
  clock.pass(seconds{500});
  store.begin_term({});
  CHECK_FALSE(ends_with_reason(store, "Interrupted"));
  clock.pass(seconds{299}); // the run began before this term
  CHECK_FALSE(ends_with_reason(store, "Interrupted"));
  clock.pass(seconds{2});
  CHECK(ends_with_reason(store, "Interrupted"));
}

TEST_CASE("a run that is unfinished again, because etcd was restored, counts from there") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup(running_backup());
  auto ended = running_backup();
  ended["status"]["conditions"] = {{{"type", "Succeeded"},
                                    {"status", "True"},
                                    {"reason", "Completed"},
                                    {"lastTransitionTime", "2026-01-01T02:30:00Z"}}};
  store.upsert_backup(ended);
  clock.pass(seconds{100'000});
  store.upsert_backup(running_backup());
  store.upsert_order(order_json("2026-01-01T02:00:00Z"));
  CHECK(store.make_plan(std::nullopt).statuses.size() == 1); // mirrored, not ended
  CHECK_FALSE(ends_with_reason(store, "DeadlineExceeded"));
  clock.pass(seconds{300});
  CHECK(ends_with_reason(store, "DeadlineExceeded"));
}

TEST_CASE("an object of the same name and another uid replaces the old one") {
  const SetClock clock;
  Store store(clock, {});
  store.upsert_backup(backup_json("old"));
  store.upsert_backup(backup_json("new"));
  CHECK(store.unfinished() == 1);
  store.remove_backup("old"); // a late delete
  CHECK(store.unfinished() == 1);
}

TEST_CASE("the last success is the latest completion of a run that succeeded") {
  const SetClock clock;
  Store store(clock, {});
  CHECK_FALSE(store.last_success());
  auto object = backup_json("uid-b");
  object["status"] = {{"completionTime", "2026-01-01T02:30:00Z"},
                      {"conditions",
                       {{{"type", "Succeeded"},
                         {"status", "True"},
                         {"reason", "Completed"},
                         {"lastTransitionTime", "2026-01-01T02:30:00Z"}}}}};
  store.upsert_backup(object);
  CHECK(store.last_success() == k_start + std::chrono::minutes{30});
  CHECK(store.unfinished() == 0);
}

TEST_CASE("waiting ends at once when something changed since the last plan") {
  const SetClock clock;
  Store store(clock, {});
  (void)store.make_plan(std::nullopt);
  store.upsert_backup(backup_json("uid-b"));
  const auto begin = std::chrono::steady_clock::now();
  store.wait(seconds{20}, {});
  CHECK(std::chrono::steady_clock::now() - begin < seconds{10});
}

TEST_CASE("an order that was seen and is gone is asked for, not made anew") {
  const SetClock clock;
  Store store(clock, {});
  store.upsert_backup(running_backup());
  store.upsert_agent({{"metadata", {{"name", "agent-1"}}},
                      {"spec", {{"nodeName", "n1"}}},
                      {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  store.upsert_order(order_json("2026-01-01T02:00:00Z"));
  store.remove_order("uid-b");
  const Plan plan = store.make_plan(std::nullopt);
  CHECK(only_action<ReadOrder>(plan) != nullptr);
}

TEST_CASE("a silent agent's order is asked for once, and its word starts the silence anew") {
  SetClock clock;
  Store store(clock, {});
  store.upsert_backup(running_backup());
  nlohmann::json order = order_json("2026-01-01T02:00:00Z");
  order["metadata"]["resourceVersion"] = "7";
  store.upsert_order(order);
  clock.pass(seconds{400});
  CHECK(only_action<ReadOrder>(store.make_plan(std::nullopt)) != nullptr);
  SUBCASE("it has told meanwhile") {
    order["metadata"]["resourceVersion"] = "8";
    order["status"]["heartbeatTime"] = "2026-01-01T02:05:00Z";
    CHECK(store.asked_order("uid-b", order));
    CHECK(store.make_plan(std::nullopt).actions.empty());
  }
  SUBCASE("it has not, or cannot be understood") {
    CHECK(store.asked_order("uid-b", {{"metadata", {{"name", "uid-b"}, {"uid", 7}}}}));
    const Plan plan = store.make_plan(std::nullopt);
    REQUIRE(plan.statuses.size() == 1);
    CHECK(plan.statuses.front().event.has_value());
  }
  SUBCASE("another one, of which nothing is known, cannot be understood") {
    CHECK_FALSE(store.asked_order("uid-c", {{"metadata", {{"name", "uid-c"}, {"uid", 7}}}}));
  }
}

TEST_CASE("what the agents say of their datastores wakes the run that waits for it") {
  const SetClock clock;
  Store store(clock, {});
  const auto pod = [](const char* node) {
    return nlohmann::json{{"metadata", {{"name", std::string("agent-") + node}}},
                          {"spec", {{"nodeName", node}}},
                          {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}};
  };
  store.upsert_agent(pod("cp-1"));
  store.upsert_agent(pod("etcd-1"));
  auto request = running_backup();
  request["spec"] = {{"artifacts", {"EtcdSnapshot"}}};
  store.upsert_backup(request);
  static_cast<void>(store.make_plan(std::nullopt));
  CHECK(store.make_plan(std::nullopt).actions.empty());
  store.upsert_backup_status({{"metadata", {{"name", "cluster"}}},
                              {"status",
                               {{"nodes",
                                 {{{"nodeName", "cp-1"}, {"datastore", "None"}},
                                  {{"nodeName", "etcd-1"}, {"datastore", "EmbeddedEtcd"}}}}}}});
  store.wait(std::chrono::minutes(5), {}); // at once
  const Plan next = store.make_plan(std::nullopt);
  const auto* create = only_action<CreateOrder>(next);
  REQUIRE(create != nullptr);
  CHECK(create->order.spec.node_name == "etcd-1");
}

TEST_CASE("a request that names no server of the cluster says nothing of its backups") {
  const SetClock clock;
  const auto failed_on = [&](const char* named, const char* ordered) {
    Store store(clock, {});
    store.upsert_agent({{"metadata", {{"name", "agent-1"}}}, {"spec", {{"nodeName", "n1"}}}});
    auto object = running_backup();
    object["spec"]["nodeName"] = named;
    object["status"]["nodeName"] = ordered;
    object["status"]["completionTime"] = "2026-01-01T02:00:01Z";
    object["status"]["conditions"] = {{{"type", "Succeeded"},
                                       {"status", "False"},
                                       {"reason", "AgentUnavailable"},
                                       {"lastTransitionTime", "2026-01-01T02:00:01Z"}}};
    store.upsert_backup(object);
    return store.backup_status().last_run.has_value();
  };
  CHECK_FALSE(failed_on("no-such-node", ""));
  CHECK(failed_on("n1", ""));       // its agent is down: that counts
  CHECK(failed_on("gone", "gone")); // it was a server when the order was made
  CHECK(failed_on("", ""));
}

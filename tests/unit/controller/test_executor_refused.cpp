// What the API refuses of orders and results, and what it has forgotten or brings back.
#include "executor_bench.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <utility>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

TEST_CASE("an order that the API refuses for good ends the run with its words") {
  Bench bench;
  bench.api.fail = [](const kube::Request& request) {
    return request.method == kube::Method::post ? 400 : 0;
  };
  CHECK(bench.settle());
  CHECK(reason_of(bench) == "InternalError");
}

TEST_CASE("an API server that knows no rights yet keeps no order from being made") {
  Bench bench;
  bench.api.fail = [](const kube::Request& request) {
    return request.method == kube::Method::post ? 403 : 0;
  };
  for (int attempt = 1; attempt < 8; ++attempt) {
    CHECK_FALSE(bench.settle());
  }
  SUBCASE("it knows them in time") {
    bench.api.fail = nullptr;
    CHECK(bench.settle());
    CHECK(bench.api.objects.contains(std::string(k_orders) + "uid-b"));
  }
  SUBCASE("we have no right") {
    CHECK(bench.settle());
    CHECK(reason_of(bench) == "InternalError");
  }
}

TEST_CASE("an order that a webhook which is away kept from being made says so at the deadline") {
  Bench bench;
  nlohmann::json& object = bench.api.objects.at(std::string(k_backups) + "b");
  object["spec"]["deadlineSeconds"] = 1;
  bench.store.upsert_backup(object);
  bench.api.words = "failed calling webhook \"validate.example.io\"";
  bench.api.fail = [](const kube::Request& request) {
    return request.method == kube::Method::post ? 500 : 0;
  };
  while (!bench.settle()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK(reason_of(bench) == "DeadlineExceeded");
  CHECK(status_of(bench).dump().find("failed calling webhook") != std::string::npos);
}

TEST_CASE("an order that is read anew brings what no watch told") {
  Bench bench;
  REQUIRE(bench.settle());
  nlohmann::json& order = bench.api.objects.at(std::string(k_orders) + "uid-b");
  SUBCASE("the report of the agent") {
    order["status"] = {{"startTime", "2026-01-01T00:00:00Z"},
                       {"conditions",
                        {{{"type", "Succeeded"},
                          {"status", "False"},
                          {"reason", "StorageFull"},
                          {"message", "words"},
                          {"lastTransitionTime", "2026-01-01T00:00:00Z"}}}}};
    REQUIRE(bench.executor->execute(Action{ReadOrder{"uid-b"}}, {}));
    REQUIRE(bench.settle());
    CHECK(reason_of(bench) == "StorageFull");
  }
  SUBCASE("that somebody removed it") {
    bench.api.objects.erase(std::string(k_orders) + "uid-b");
    REQUIRE(bench.executor->execute(Action{ReadOrder{"uid-b"}}, {}));
    REQUIRE(bench.settle());
    CHECK(reason_of(bench) == "Interrupted");
  }
}

TEST_CASE("a status that the API refuses is written without details, so that the run ends") {
  Bench bench;
  REQUIRE(bench.settle());
  report(bench, "False", "Incomplete");
  bench.api.fail = [](const kube::Request& request) {
    const bool detailed = request.body.find("\"missing\":[{") != std::string::npos;
    return request.method == kube::Method::put && detailed ? 422 : 0;
  };
  nlohmann::json& order = bench.api.objects.at(std::string(k_orders) + "uid-b");
  order["status"]["missing"] = {{{"type", "HostState"}, {"reason", "HostStateMissing"}}};
  bench.store.upsert_order(order);
  CHECK(bench.settle());
  CHECK(reason_of(bench) == "Incomplete");
}

TEST_CASE("an order is not withdrawn while its ClusterBackup exists, whatever our view says") {
  Bench bench;
  REQUIRE(bench.settle());
  bench.store.remove_backup("uid-b");
  REQUIRE(bench.settle());
  CHECK(bench.api.objects.contains(std::string(k_orders) + "uid-b"));
  bench.api.objects.erase(std::string(k_backups) + "b");
  bench.store.remove_backup("uid-b");
  REQUIRE(bench.settle());
  CHECK_FALSE(bench.api.objects.contains(std::string(k_orders) + "uid-b"));
}

namespace {

/// A run failed, and etcd was restored: the snapshot that it took has the run in it, and its order.
std::pair<nlohmann::json, nlohmann::json> restored_after_its_end(Bench& bench) {
  REQUIRE(bench.settle());
  const nlohmann::json before = bench.api.objects.at(std::string(k_backups) + "b");
  const nlohmann::json order = bench.api.objects.at(std::string(k_orders) + "uid-b");
  report(bench, "False", "SnapshotFailed");
  REQUIRE(bench.settle());
  bench.api.objects[std::string(k_backups) + "b"] = before;
  bench.api.objects[std::string(k_orders) + "uid-b"] = order;
  return {before, order};
}

} // namespace

TEST_CASE("the order of a run that had ended and is unfinished again stays: etcd was restored") {
  Bench bench;
  const auto [before, order] = restored_after_its_end(bench);
  const std::stop_token history = bench.client->runtime().versions->same_history();
  bench.store.upsert_order(order); // the watch of the orders is the first to list anew
  const Plan plan = bench.store.make_plan(std::nullopt);
  REQUIRE(std::holds_alternative<DeleteOrder>(plan.actions.at(0)));
  REQUIRE(bench.executor->execute(plan.actions.at(0), {}));
  CHECK(bench.api.objects.contains(std::string(k_orders) + "uid-b"));
  CHECK(history.stop_requested());

  bench.store.upsert_backup(before);     // then that of the backups
  report(bench, "False", "StorageFull"); // the agent tells again what became of the run
  REQUIRE(bench.settle());
  CHECK(reason_of(bench) == "StorageFull");
}

TEST_CASE("a run that is unfinished again is not judged by the order of before the restore") {
  Bench bench;
  // The watch of the backups is the first to list anew.
  bench.store.upsert_backup(restored_after_its_end(bench).first);
  REQUIRE(bench.settle());
  CHECK(reason_of(bench) == "Running");
  report(bench, "False", "StorageFull");
  REQUIRE(bench.settle());
  CHECK(reason_of(bench) == "StorageFull");
}

TEST_CASE("a refused write that finds an older version than was known tells the watches") {
  Bench bench;
  const Plan first = bench.store.make_plan(std::nullopt);
  StatusPatch patch = first.statuses.at(0);
  patch.resource_version = "1000";
  const std::stop_token history = bench.client->runtime().versions->same_history();
  REQUIRE(bench.executor->execute(patch, {}));
  CHECK(history.stop_requested());
}

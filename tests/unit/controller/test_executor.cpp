// Each action against an API that does what the real one does, or fails.
#include "executor_bench.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

TEST_CASE("a request that Velero brings back is not carried out again; a copy by another name is") {
  Bench bench;
  REQUIRE(bench.settle());
  nlohmann::json saved = bench.api.objects.at(std::string(k_backups) + "b");
  const std::string run_id = saved.at("status").at("runID");
  CHECK(saved["metadata"]["annotations"] ==
        nlohmann::json{{"backup.railiance.io/run", "b/" + run_id}});
  saved.erase("status"); // as Velero and exports do
  saved["metadata"]["uid"] = "uid-new";
  saved["metadata"]["resourceVersion"] = "1";
  bench.api.objects.clear();
  bench.store.remove_backup("uid-b");
  bench.store.remove_order("uid-b");
  bench.api.objects[std::string(k_backups) + "b"] = saved;
  bench.store.upsert_backup(saved);
  REQUIRE(bench.settle());
  CHECK(reason_of(bench) == "NotRepeated");
  CHECK_FALSE(status_of(bench).contains("runID"));
  CHECK(bench.api.count("POST /apis/backup.railiance.io/v1alpha1/nodebackups") == 1);
  CHECK_FALSE(bench.store.backup_status().last_run); // nothing failed
  CHECK(bench.events.empty());

  saved["metadata"]["name"] = "copy";
  saved["metadata"]["uid"] = "uid-copy";
  bench.api.objects[std::string(k_backups) + "copy"] = saved;
  bench.store.upsert_backup(saved);
  const auto orders = [&] {
    return bench.api.count("POST /apis/backup.railiance.io/v1alpha1/nodebackups");
  };
  for (int i = 0; i < 30 && orders() < 2; ++i) { // no two run ids in one second
    REQUIRE(bench.settle());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(orders() == 2);
}

TEST_CASE(
    "a mark that cannot be made fails no run, and is not tried at each write where it is refused") {
  for (const int status : {403, 503}) {
    CAPTURE(status);
    Bench bench;
    bench.api.fail = [&](const kube::Request& request) {
      return request.method == kube::Method::patch ? status : 0;
    };
    REQUIRE(bench.settle());
    report(bench, "True", "Completed");
    REQUIRE(bench.settle());
    CHECK(status_of(bench).contains("completionTime"));
    const std::size_t tries = bench.api.count(std::string("PATCH ") + k_backups + "b");
    CHECK((status == 403 ? tries == 1 : tries > 1));
  }
}

TEST_CASE("the run id reaches the API before the Helm step and the order") {
  Bench bench;
  REQUIRE(bench.settle());
  REQUIRE(bench.api.calls.size() >= 4);
  CHECK(bench.api.calls[0] == std::string("PUT ") + k_backups + "b/status");
  CHECK(bench.api.calls[1] == std::string("PATCH ") + k_backups + "b"); // its mark
  CHECK(bench.api.calls[2] == bench.api.calls[0]);                      // that the Helm step begins
  CHECK(bench.api.calls[3] == "POST /apis/backup.railiance.io/v1alpha1/nodebackups");
  CHECK(bench.helm.runs == 1);
  const auto order = bench.api.objects.at(std::string(k_orders) + "uid-b");
  CHECK(order.at("spec").at("runID") == status_of(bench).at("runID"));
}

TEST_CASE("the answer to an order does not undo what the watch has told since") {
  Bench bench;
  bench.api.before_answer = [&](const kube::Request& request) {
    if (request.method == kube::Method::post && request.path.ends_with("/nodebackups")) {
      // The agent is quick, and its report overtakes the answer.
      auto& order = bench.api.objects.at(std::string(k_orders) + "uid-b");
      const auto made = order;
      order["metadata"]["resourceVersion"] = "77";
      report(bench, "False", "SnapshotFailed");
      order = made;
    }
  };
  REQUIRE(bench.settle());
  CHECK(reason_of(bench) == "SnapshotFailed");
}

TEST_CASE("a run that is removed while its status is written holds up no other") {
  Bench bench;
  bool removed = false;
  bench.api.before_answer = [&](const kube::Request& request) {
    if (!removed && request.method == kube::Method::put) {
      removed = true;
      bench.api.objects.erase(std::string(k_backups) + "b");
      bench.store.remove_backup("uid-b");
    }
  };
  bench.put_backup("c");
  for (int i = 0; i < 40 && !bench.api.objects.contains(std::string(k_orders) + "uid-c"); ++i) {
    CHECK(bench.settle());
    std::this_thread::sleep_for(std::chrono::milliseconds(100)); // a run id is given once a second
  }
  REQUIRE(removed);
  CHECK(bench.api.objects.contains(std::string(k_orders) + "uid-c"));
  CHECK(bench.store.unfinished() == 1);
}

TEST_CASE("a result is written once and told once") {
  Bench bench;
  REQUIRE(bench.settle());
  report(bench, "False", "SnapshotFailed");
  REQUIRE(bench.settle());
  CHECK(reason_of(bench) == "SnapshotFailed");
  REQUIRE(bench.events.size() == 1);
  CHECK(bench.events[0].reason == "SnapshotFailed");
  CHECK(bench.events[0].note == "words");
  CHECK(bench.events[0].type == kube::EventType::warning);
  CHECK(bench.events[0].regarding.uid == "uid-b");
}

TEST_CASE("no step of a run is told as an Event, only how it ended") {
  Bench bench;
  bench.put_backup("second");
  REQUIRE(bench.settle()); // scheduled, Helm values collected, ordered; the second one is queued
  CHECK(bench.api.count("PUT") > 1);
  CHECK(bench.events.empty());
  report(bench, "True", "Completed");
  REQUIRE(bench.settle());
  REQUIRE(bench.events.size() == 1); // the second one has begun by now: that is a step
  CHECK(bench.events[0].action == "Backup");
}

TEST_CASE("a write on an old view changes nothing and the next plan sees the object") {
  Bench bench;
  const Plan stale = bench.store.make_plan(std::nullopt);
  bench.api.objects[std::string(k_backups) + "b"]["metadata"]["resourceVersion"] = "7";
  REQUIRE(bench.executor->execute(stale.statuses.at(0), {}));
  CHECK_FALSE(bench.api.objects[std::string(k_backups) + "b"].contains("status"));
  CHECK(bench.settle());
  CHECK(reason_of(bench) == "Running");
}

TEST_CASE("an order that is there already is taken as it is") {
  Bench bench;
  bench.api.objects[std::string(k_orders) + "uid-b"] = nlohmann::json();
  Plan plan;
  for (int round = 0; round < 3 && plan.actions.empty(); ++round) {
    plan = bench.store.make_plan(std::nullopt);
    for (const auto& patch : plan.statuses) {
      REQUIRE(bench.executor->execute(patch, {}));
    }
  }
  REQUIRE(bench.executor->execute(plan.actions.at(0), {})); // the Helm step
  plan = bench.store.make_plan(std::nullopt);
  auto order = to_json(std::get<CreateOrder>(plan.actions.at(0)).order);
  order["metadata"]["uid"] = "made-earlier";
  order["metadata"]["resourceVersion"] = "5";
  bench.api.objects[std::string(k_orders) + "uid-b"] = order;
  REQUIRE(bench.executor->execute(plan.actions.at(0), {}));
  CHECK(bench.settle());
  CHECK(bench.api.count("POST /apis/backup.railiance.io/v1alpha1/nodebackups") == 1);
}

TEST_CASE("an API that fails for a while is tried again, and nothing is lost") {
  Bench bench;
  bench.api.fail = [](const kube::Request&) { return 503; };
  CHECK_FALSE(bench.settle());
  bench.api.fail = nullptr;
  std::this_thread::sleep_for(std::chrono::milliseconds(1100)); // another second, another run id
  CHECK(bench.settle());
  CHECK(bench.api.objects.contains(std::string(k_orders) + "uid-b"));
}

TEST_CASE("a run id whose write may have been taken without an answer is given to no other run") {
  Bench bench;
  const Plan first = bench.store.make_plan(std::nullopt);
  bench.api.fail = [](const kube::Request&) { return 503; };
  CHECK_FALSE(bench.executor->execute(first.statuses.at(0), {}));
  const Plan second = bench.store.make_plan(std::nullopt);
  CHECK((second.statuses.empty() ||
         second.statuses.at(0).status.run_id != first.statuses.at(0).status.run_id));
}

TEST_CASE("a Helm step that is refused makes the artifact missing, not the run fail") {
  Bench bench;
  bench.helm.error = Error{ErrorCode::permission_denied, "GET secrets: forbidden", {}};
  while (!bench.settle()) {
  }
  CHECK(bench.helm.runs == 8); // an API server that has just started forbids everything
  const auto spec = bench.api.objects.at(std::string(k_orders) + "uid-b").at("spec");
  CHECK(spec.at("missing").at(0).at("reason") == "HelmFailed");
  CHECK(spec.at("missing").at(0).at("message") == "GET secrets: forbidden");
  CHECK_FALSE(spec.contains("helmPayload"));
}

TEST_CASE("a Helm step that fails in passing is tried eight times") {
  for (const ErrorCode code :
       {ErrorCode::unavailable, ErrorCode::unauthenticated, ErrorCode::permission_denied}) {
    Bench bench;
    bench.helm.error = Error{code, "connection refused, or a token that is being renewed", {}};
    for (int attempt = 1; attempt < 8; ++attempt) {
      CHECK_FALSE(bench.settle());
    }
    CHECK(bench.settle());
    CHECK(bench.helm.runs == 8);
  }
}

TEST_CASE("a Helm step that hangs is left out after its time, and the order goes") {
  Bench bench(std::chrono::seconds{1});
  bench.helm.hangs = true;
  CHECK(bench.settle());
  CHECK(bench.helm.runs == 1);
  const auto spec = bench.api.objects.at(std::string(k_orders) + "uid-b").at("spec");
  CHECK(spec.at("missing").at(0).at("reason") == "HelmFailed");
  CHECK(spec.at("missing").at(0).at("message") == "they were not collected within 1 s: stopped");
}

TEST_CASE("the Helm step is announced before it begins, also when the answer is lost") {
  Bench bench;
  int puts = 0;
  bench.api.fail = [&](const kube::Request& request) {
    return request.method == kube::Method::put && ++puts == 2 ? 500 : 0;
  };
  CHECK_FALSE(bench.settle());
  CHECK(bench.helm.runs == 0);
  CHECK(bench.settle());
  CHECK(bench.helm.runs == 1);
}

TEST_CASE("a new term of the same process goes on with the Helm step, a new process counts anew") {
  Bench bench;
  bench.helm.error = Error{ErrorCode::unavailable, "away", {}};
  CHECK_FALSE(bench.settle());
  bench.store.begin_term({});
  bench.executor->reset();
  CHECK_FALSE(bench.settle());
  CHECK(status_of(bench).dump().find("RunningAgain") == std::string::npos);
}

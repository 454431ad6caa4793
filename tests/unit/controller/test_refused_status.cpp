// One ClusterBackup whose status the API server does not take must hold up no other. Who may make
// ClusterBackups can make such a one: with so many labels that etcd has no room left for a status.
#include "controller/executor.hpp"
#include "fake_api.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

namespace {

const std::string k_backups = "/apis/backup.railiance.io/v1alpha1/clusterbackups/";
const std::string k_orders = "/apis/backup.railiance.io/v1alpha1/nodebackups/";
/// kubernetes/kubernetes issue 74600
constexpr const char* k_words_of_etcd = "etcdserver: request is too large";

class NoHelm final : public HelmStep {
public:
  Result<HelmOutcome> run(const CollectHelm&, std::stop_token) override { return HelmOutcome{}; }
};

struct Bench {
  Bench() {
    store.upsert_agent({{"metadata", {{"name", "agent-1"}}},
                        {"spec", {{"nodeName", "n1"}}},
                        {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  }

  void put(const std::string& name, const std::string& created) {
    nlohmann::json& object = api.objects[k_backups + name];
    object = {{"metadata",
               {{"name", name},
                {"uid", "uid-" + name},
                {"resourceVersion", "1"},
                {"generation", 1},
                {"creationTimestamp", created}}},
              {"spec", {{"artifacts", {"Kubeconfig"}}}}};
    store.upsert_backup(object);
  }

  void remove(const std::string& name) {
    api.objects.erase(k_backups + name);
    store.remove_backup("uid-" + name);
  }

  /// One plan, all of which is tried, as the reconciler does it.
  void round() {
    const Plan next = store.make_plan(std::nullopt);
    for (const StatusPatch& patch : next.statuses) {
      static_cast<void>(executor.execute(patch, {}));
    }
    for (const Action& action : next.actions) {
      static_cast<void>(executor.execute(action, {}));
    }
  }

  /// Until there is an order for that backup.
  bool is_ordered(const std::string& name) {
    for (int i = 0; i < 60 && !api.objects.contains(k_orders + "uid-" + name); ++i) {
      round();
      std::this_thread::sleep_for(
          std::chrono::milliseconds(100)); // a run id is given once a second
    }
    return api.objects.contains(k_orders + "uid-" + name);
  }

  nlohmann::json& status(const std::string& name) {
    return api.objects.at(k_backups + name).at("status");
  }

  FakeApi api;
  RealClock clock;
  Metrics metrics;
  Store store{clock, {}};
  NoHelm helm;
  kube::Client client{api, kube::Runtime{}, one_attempt()};
  PayloadStore payloads{client, "ours"};
  Executor executor{Ports{client, helm, payloads, store, metrics, clock, [](kube::EventSpec) {}}};
};

} // namespace

TEST_CASE(
    "a backup whose status is refused comes after all others, and is not written to meanwhile") {
  Observed observed = cluster();
  add(observed, backup("a"));
  add(observed, backup("b", 5));
  observed.memory["uid-a"].status_refused = true;
  observed.backups["uid-a"].status.run_id = "20260101T015900Z";
  CHECK(active_run(observed)->meta.name == "b");
  const Plan next = plan(observed);
  REQUIRE(next.statuses.size() == 1);
  CHECK(next.statuses.front().name == "b");
  observed.backups.erase("uid-b");
  CHECK(active_run(observed)->meta.name == "a"); // it is tried again where it keeps nobody waiting
}

TEST_CASE("a backup whose status is refused takes the place of no older one of the schedule") {
  Observed observed = cluster();
  observed.now = k_start + std::chrono::hours{5};
  for (const char* const name : {"older", "younger"}) {
    api::ClusterBackup waiting = backup(name, name == std::string("older") ? 0 : 60);
    waiting.spec.scheduled = true;
    add(observed, waiting);
  }
  CHECK(active_run(observed)->meta.name == "younger");
  observed.memory["uid-younger"].status_refused = true;
  CHECK(active_run(observed)->meta.name == "older");
}

TEST_CASE("a backup whose status is never taken holds up no later one") {
  Bench bench;
  int status = 0;
  SUBCASE("etcd has no room for it") {
    status = 500;
  }
  SUBCASE("a policy refuses it") {
    status = 403;
  }
  SUBCASE("it fits no schema") {
    status = 422;
  }
  bench.api.words = status == 500 ? k_words_of_etcd : "denied";
  bench.api.fail = [&](const kube::Request& request) {
    const bool meant = request.path == k_backups + "first/status";
    return meant && request.method == kube::Method::put ? status : 0;
  };
  bench.put("first", "2026-01-01T00:00:00Z");
  bench.put("second", "2026-01-01T00:00:01Z");
  CHECK(bench.is_ordered("second"));
  CHECK_FALSE(bench.api.objects.contains(k_orders + "uid-first"));

  // It comes to its turn where there is no other, or where somebody has mended it.
  bench.api.fail = nullptr;
  bench.remove("second");
  CHECK(bench.is_ordered("first"));
}

TEST_CASE("an API server that is away for a while changes no order of the runs") {
  Bench bench;
  bench.put("first", "2026-01-01T00:00:00Z");
  bench.put("second", "2026-01-01T00:00:01Z");
  const Plan first = bench.store.make_plan(std::nullopt);
  REQUIRE(first.statuses.at(0).name == "first");
  for (const int status : {401, 429, 503, 504}) {
    bench.api.fail = [&](const kube::Request&) { return status; };
    for (int i = 0; i < 10; ++i) {
      CHECK_FALSE(bench.executor.execute(first.statuses.at(0), {}));
    }
  }
  bench.api.fail = nullptr;
  CHECK(bench.is_ordered("first"));
  CHECK_FALSE(bench.api.objects.contains(k_orders + "uid-second"));
}

TEST_CASE("a run ends without details where etcd has no room for them") {
  Bench bench;
  bench.put("first", "2026-01-01T00:00:00Z");
  REQUIRE(bench.is_ordered("first"));
  nlohmann::json& order = bench.api.objects.at(k_orders + "uid-first");
  order["status"] = {{"startTime", "2026-01-01T00:00:00Z"},
                     {"missing", {{{"type", "Kubeconfig"}, {"reason", "KubeconfigMissing"}}}},
                     {"conditions",
                      {{{"type", "Succeeded"},
                        {"status", "False"},
                        {"reason", "Incomplete"},
                        {"message", "words"},
                        {"lastTransitionTime", "2026-01-01T00:00:00Z"}}}}};
  bench.store.upsert_order(order);
  bench.api.words = k_words_of_etcd;
  bench.api.fail = [](const kube::Request& request) {
    const bool detailed = request.body.find("\"missing\":[{") != std::string::npos;
    return request.method == kube::Method::put && detailed ? 500 : 0;
  };
  bench.round();
  CHECK(bench.status("first").contains("completionTime"));
}

TEST_CASE("one backup without room for the mark of its run leaves the others theirs") {
  Bench bench;
  bench.put("first", "2026-01-01T00:00:00Z");
  bench.put("second", "2026-01-01T00:00:01Z");
  bench.api.words = "metadata.annotations: Too long: may not be more than 262144 bytes";
  bench.api.fail = [](const kube::Request& request) {
    const bool meant = request.path == k_backups + "first";
    return meant && request.method == kube::Method::patch ? 422 : 0;
  };
  REQUIRE(bench.is_ordered("first"));
  bench.remove("first");
  REQUIRE(bench.is_ordered("second"));
  CHECK(bench.api.objects.at(k_backups + "second")["metadata"].contains("annotations"));
}

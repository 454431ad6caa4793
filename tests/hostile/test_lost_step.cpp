// A Helm release that kills whoever reads it: the controller dies in the Helm step of a run, at
// each start. The snapshot is taken all the same.
#include "controller/executor.hpp"
#include "unit/controller/fake_api.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;

namespace {

const std::string k_backup = "/apis/backup.railiance.io/v1alpha1/clusterbackups/nightly";
const std::string k_order = "/apis/backup.railiance.io/v1alpha1/nodebackups/uid-nightly";

/// As the kernel ends a process that is out of memory: nothing that comes after is done.
struct Killed {};

class DeadlyStep final : public HelmStep {
public:
  explicit DeadlyStep(int& begun) : m_begun(begun) {}
  Result<HelmOutcome> run(const CollectHelm&, std::stop_token) override {
    ++m_begun;
    throw Killed();
  }

private:
  int& m_begun;
};

/// One start of the controller, which knows only what the API tells it.
class Start {
public:
  Start(controller::test::FakeApi& api, int& begun)
      : m_client(api), m_helm(begun), m_payloads(m_client, "ours"), m_store(m_clock, {}),
        m_executor(
            {m_client, m_helm, m_payloads, m_store, m_metrics, m_clock, [](const auto&) {}}) {
    m_store.upsert_agent({{"metadata", {{"name", "agent-1"}}},
                          {"spec", {{"nodeName", "n1"}}},
                          {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
    m_store.upsert_backup(api.objects.at(k_backup));
    m_store.begin_term({});
  }

  /// Until there is nothing left to do. Throws Killed.
  void work() {
    for (Plan next = m_store.make_plan({}); !next.empty(); next = m_store.make_plan({})) {
      for (const StatusPatch& patch : next.statuses) {
        REQUIRE(m_executor.execute(patch, {}));
      }
      for (const Action& action : next.actions) {
        const Status done = m_executor.execute(action, {}); // outside of what catches for itself
        REQUIRE(done);
      }
    }
  }

private:
  RealClock m_clock;
  kube::Client m_client;
  DeadlyStep m_helm;
  PayloadStore m_payloads;
  Metrics m_metrics;
  Store m_store;
  Executor m_executor;
};

} // namespace

TEST_CASE("a controller that dies twice in the Helm step orders the snapshot at its third start") {
  controller::test::FakeApi api;
  api.objects[k_backup] = {
      {"metadata",
       {{"name", "nightly"}, {"uid", "uid-nightly"}, {"resourceVersion", "1"}, {"generation", 1}}},
      {"spec", nlohmann::json::object()}};
  int begun = 0;
  for (int start = 1; start <= 2; ++start) {
    CHECK_THROWS_AS(Start(api, begun).work(), Killed);
    CHECK(begun == start);
    CHECK_FALSE(api.objects.contains(k_order));
  }
  Start(api, begun).work();
  CHECK(begun == 2);
  REQUIRE(api.objects.contains(k_order));
  const nlohmann::json spec = api.objects.at(k_order).at("spec");
  CHECK(spec.at("missing").at(0).at("type") == "HelmValues");
  CHECK(spec.at("missing").at(0).at("reason") == "CollectionLost");
}

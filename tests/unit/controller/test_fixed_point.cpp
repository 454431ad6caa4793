// Plan, store and an API server that echoes every write, as a watch does: from every state that a
// run can be in they come to rest, and what an ended run says stays as it was written.
#include "controller/executor.hpp"
#include "fake_api.hpp"
#include "world.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;

namespace {

const std::string k_backup = "/apis/backup.railiance.io/v1alpha1/clusterbackups/b";
const std::string k_order = "/apis/backup.railiance.io/v1alpha1/nodebackups/uid-b";

class NoHelm final : public HelmStep {
public:
  Result<HelmOutcome> run(const CollectHelm&, std::stop_token) override {
    HelmOutcome outcome;
    outcome.status = api::HelmStatus{2, {}, 0};
    return outcome;
  }
};

class StandingClock final : public Clock {
public:
  [[nodiscard]] SystemTime now() const override { return time; }
  [[nodiscard]] std::chrono::steady_clock::time_point steady_now() const override {
    return std::chrono::steady_clock::time_point{} + (time - k_start);
  }
  SystemTime time = k_start + std::chrono::seconds{60};
};

/// One controller and its server. The server survives it.
struct Loop {
  explicit Loop(FakeApi& server) : api(server) {
    store.upsert_agent({{"metadata", {{"name", "agent-1"}}},
                        {"spec", {{"nodeName", "n1"}}},
                        {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  }

  void echo() {
    if (api.objects.contains(k_backup)) {
      store.upsert_backup(api.objects.at(k_backup));
    }
    if (api.objects.contains(k_order)) {
      store.upsert_order(api.objects.at(k_order));
    }
  }

  /// Rounds until there is nothing to do; 100 is never.
  int rounds() {
    for (int round = 0; round < 100; ++round) {
      echo();
      const Plan next = store.make_plan(std::nullopt);
      if (next.empty()) {
        return round;
      }
      for (const StatusPatch& patch : next.statuses) {
        REQUIRE(executor.execute(patch, {}));
      }
      for (const Action& action : next.actions) {
        REQUIRE(executor.execute(action, {}));
      }
    }
    return 100;
  }

  FakeApi& api;
  StandingClock clock;
  kube::Client client{api};
  PayloadStore payloads{client, "ours"};
  NoHelm helm;
  Metrics metrics;
  Store store{clock, {}};
  Executor executor{{client, helm, payloads, store, metrics, clock, [](const kube::EventSpec&) {}}};
};

nlohmann::json condition_json(const char* type, const char* status, const char* reason) {
  return {{"type", type},
          {"status", status},
          {"reason", reason},
          {"message", std::string("words of ") + type},
          {"lastTransitionTime", "2026-01-01T02:00:30Z"}};
}

/// What the agent makes of the order: "" none yet, "Unknown" at work.
void report(FakeApi& api, const std::string& succeeded, const std::string& reason) {
  nlohmann::json& order = api.objects.at(k_order);
  order["metadata"]["resourceVersion"] = "2";
  if (succeeded.empty()) {
    return;
  }
  order["status"] = {
      {"startTime", "2026-01-01T02:00:00Z"},
      {"heartbeatTime", "2026-01-01T02:00:30Z"},
      {"etcd", {{"revision", 42}, {"totalKeys", 7}}},
      {"conditions", {condition_json("Succeeded", succeeded.c_str(), reason.c_str())}}};
  for (const char* type : {"SnapshotTaken", "ArtifactsStored", "Verified"}) {
    order["status"]["conditions"].push_back(condition_json(type, "True", "Completed"));
  }
  for (const char* type : {"EtcdSnapshot", "HelmValues", "Kubeconfig", "HostState"}) {
    order["status"]["artifacts"].push_back({{"type", type},
                                            {"fileName", std::string("x-") + type + ".age"},
                                            {"sizeBytes", 1000},
                                            {"sha256", std::string(64, 'a')}});
  }
}

/// Everything that people read, without what may still change.
nlohmann::json words_of(const FakeApi& api) {
  nlohmann::json status = api.objects.at(k_backup).at("status");
  nlohmann::json kept = nlohmann::json::array();
  for (const auto& condition : status.at("conditions")) {
    if (condition.at("type") != "Replicated") {
      kept.push_back(condition);
    }
  }
  status["conditions"] = std::move(kept);
  return status;
}

nlohmann::json replicated_of(const FakeApi& api) {
  for (const auto& condition : api.objects.at(k_backup).at("status").at("conditions")) {
    if (condition.at("type") == "Replicated") {
      return condition;
    }
  }
  return {};
}

} // namespace

TEST_CASE("from every state plan, store and server come to rest, and an ended status stays") {
  for (const auto& [succeeded, reason] : {std::pair{"", ""},
                                          std::pair{"Unknown", "Running"},
                                          std::pair{"True", "Completed"},
                                          std::pair{"False", "Incomplete"},
                                          std::pair{"False", "SnapshotFailed"}}) {
    CAPTURE(succeeded);
    CAPTURE(reason);
    FakeApi api;
    api.objects[k_backup] = {
        {"metadata",
         {{"name", "b"}, {"uid", "uid-b"}, {"resourceVersion", "1"}, {"generation", 1}}},
        {"spec", nlohmann::json::object()}};
    auto loop = std::make_unique<Loop>(api);
    CHECK(loop->rounds() < 10);
    report(api, succeeded, reason);
    CHECK(loop->rounds() < 10);
    const nlohmann::json before = words_of(api);
    const bool ended = api.objects.at(k_backup).at("status").contains("completionTime");
    CHECK(ended == (std::string_view(reason) != "" && std::string_view(reason) != "Running"));
    if (!ended) {
      continue;
    }
    CHECK(before.at("artifacts").size() == 4);
    for (const auto& [value, word] : {std::pair{"False", "RemoteUnreachable"},
                                      std::pair{"Unknown", "Pending"},
                                      std::pair{"True", "Completed"}}) {
      for (const bool restarted : {false, true}) {
        CAPTURE(value);
        CAPTURE(restarted);
        nlohmann::json& conditions = api.objects.at(k_order)["status"]["conditions"];
        if (conditions.back().at("type") == "Replicated") {
          conditions.erase(conditions.size() - 1);
        }
        conditions.push_back(condition_json("Replicated", value, word));
        conditions.back()["message"] = std::string("word ") + (restarted ? "two" : "one");
        if (restarted) {
          loop = std::make_unique<Loop>(api);
        }
        CHECK(loop->rounds() <= 2);
        CHECK(words_of(api) == before);
        CHECK(replicated_of(api).at("status") == value);
        CHECK(replicated_of(api).at("message") == conditions.back().at("message"));
      }
    }
  }
}

// An executor with a store that sees what it writes, against an API that does what the real one
// does, or fails.
#pragma once

#include "controller/executor.hpp"
#include "fake_api.hpp"
#include "world.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace rb::controller::test {

inline constexpr const char* k_backups = "/apis/backup.railiance.io/v1alpha1/clusterbackups/";
inline constexpr const char* k_orders = "/apis/backup.railiance.io/v1alpha1/nodebackups/";

class FakeHelm final : public HelmStep {
public:
  Result<HelmOutcome> run(const CollectHelm&, std::stop_token stop) override {
    ++runs;
    while (hangs && !stop.stop_requested()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (hangs) {
      return Error{ErrorCode::cancelled, "stopped", {}};
    }
    if (error) {
      return *error;
    }
    HelmOutcome outcome;
    outcome.status = api::HelmStatus{2, {}, 0};
    return outcome;
  }
  std::optional<Error> error;
  bool hangs = false; ///< Until it is stopped.
  int runs = 0;
};

struct Bench {
  explicit Bench(std::chrono::seconds helm_limit = std::chrono::seconds{300})
      : store(clock, {.helm_limit = helm_limit}) {
    client = std::make_unique<kube::Client>(api, kube::Runtime{}, one_attempt());
    payloads = std::make_unique<PayloadStore>(*client, "ours");
    executor = std::make_unique<Executor>(
        Ports{*client, helm, *payloads, store, metrics, clock, [this](kube::EventSpec event) {
                events.push_back(std::move(event));
              }});
    put_backup("b");
    store.upsert_agent({{"metadata", {{"name", "agent-1"}}},
                        {"spec", {{"nodeName", "n1"}}},
                        {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  }

  void put_backup(const std::string& name) {
    api.objects[k_backups + name] = {
        {"metadata",
         {{"name", name}, {"uid", "uid-" + name}, {"resourceVersion", "1"}, {"generation", 1}}},
        {"spec", nlohmann::json::object()}};
    store.upsert_backup(api.objects[k_backups + name]);
  }

  /// Carries out what the planner wants until it wants nothing; false when something failed.
  bool settle() {
    for (int round = 0; round < 50; ++round) {
      const Plan next = store.make_plan(std::nullopt);
      if (next.empty()) {
        return true;
      }
      for (const StatusPatch& patch : next.statuses) {
        if (!executor->execute(patch, {})) {
          return false;
        }
      }
      for (const Action& action : next.actions) {
        if (!executor->execute(action, {})) {
          return false;
        }
      }
    }
    return false;
  }

  FakeApi api;
  RealClock clock;
  Metrics metrics;
  Store store;
  FakeHelm helm;
  std::vector<kube::EventSpec> events;
  std::unique_ptr<kube::Client> client;
  std::unique_ptr<PayloadStore> payloads;
  std::unique_ptr<Executor> executor;
};

inline nlohmann::json& status_of(Bench& bench) {
  return bench.api.objects.at(std::string(k_backups) + "b").at("status");
}

inline std::string reason_of(Bench& bench) {
  for (const auto& condition : status_of(bench).at("conditions")) {
    if (condition.at("type") == "Succeeded") {
      return condition.at("reason");
    }
  }
  return {};
}

/// The agent ends the order.
inline void report(Bench& bench, const char* status, const char* reason) {
  nlohmann::json& order = bench.api.objects.at(std::string(k_orders) + "uid-b");
  order["status"] = {{"startTime", "2026-01-01T00:00:00Z"},
                     {"conditions",
                      {{{"type", "Succeeded"},
                        {"status", status},
                        {"reason", reason},
                        {"message", "words"},
                        {"lastTransitionTime", "2026-01-01T00:00:00Z"}}}}};
  bench.store.upsert_order(order);
}

} // namespace rb::controller::test

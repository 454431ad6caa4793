#include "soak_world.hpp"

#include "controller/helm_step.hpp"

#include <doctest/doctest.h>

namespace rb::test {

namespace {

using controller::CollectHelm;
using controller::HelmOutcome;

const std::string k_backups = "/apis/backup.railiance.io/v1alpha1/clusterbackups/";
const std::string k_orders = "/apis/backup.railiance.io/v1alpha1/nodebackups/";
const std::string k_payloads = "/api/v1/namespaces/ours/configmaps/";

bool is_finished(const nlohmann::json& object) {
  const auto status = object.value("status", nlohmann::json::object());
  for (const auto& condition : status.value("conditions", nlohmann::json::array())) {
    if (condition.value("type", "") == "Succeeded" && condition.value("status", "") != "Unknown") {
      return true;
    }
  }
  return false;
}

bool is_taken(const nlohmann::json& order) {
  return order.value("status", nlohmann::json::object()).contains("startTime");
}

void bump(nlohmann::json& object) {
  auto& version = object["metadata"]["resourceVersion"];
  version = std::to_string(std::stoi(version.get<std::string>()) + 1);
}

/// The process is gone in the middle of the Helm step.
struct Killed {};

/// Lays a piece down as the real step does; now and then it cannot, or takes the process with it.
class SoakHelm final : public controller::HelmStep {
public:
  SoakHelm(Random& random,
           controller::PayloadStore& payloads,
           std::function<void(const std::string& uid)> begun)
      : m_random(random), m_payloads(payloads), m_begun(std::move(begun)) {}

  Result<HelmOutcome> run(const CollectHelm& action, std::stop_token stop) override {
    m_begun(action.uid);
    if (m_random.below(6) == 0) {
      throw Killed();
    }
    if (m_random.below(8) == 0) {
      return Error{ErrorCode::unavailable, "the Secrets cannot be listed", {}};
    }
    const api::OwnerReference owner{
        std::string(api::k_api_version), "ClusterBackup", action.backup_name, action.uid};
    RB_TRY_ASSIGN(auto payload, m_payloads.write(owner, Bytes(100, 7), std::move(stop)));
    HelmOutcome outcome;
    outcome.payload = std::move(payload);
    outcome.status = api::HelmStatus{2, {}, 0};
    return outcome;
  }

private:
  Random& m_random;
  controller::PayloadStore& m_payloads;
  std::function<void(const std::string& uid)> m_begun;
};

} // namespace

struct SoakWorld::Process {
  Process(Random& random,
          MisbehavingApi& api,
          const Clock& clock,
          std::size_t& results,
          std::function<void(const std::string& uid)> helm_begun)
      : client(api, kube::Runtime{}, one_attempt()), payloads(client, "ours"),
        helm(random, payloads, std::move(helm_begun)), store(clock, {}),
        executor(
            {client, helm, payloads, store, metrics, clock, [&results](const kube::EventSpec&) {
               ++results;
             }}) {
    store.upsert_agent({{"metadata", {{"name", "agent-1"}}},
                        {"spec", {{"nodeName", "n1"}}},
                        {"status", {{"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}});
  }

  static kube::ClientOptions one_attempt() {
    kube::ClientOptions options;
    options.attempts = 1;
    return options;
  }

  kube::Client client;
  controller::PayloadStore payloads;
  SoakHelm helm;
  controller::Metrics metrics;
  controller::Store store;
  controller::Executor executor;
};

SoakWorld::SoakWorld(Random& random) : m_random(random), m_api(random) {
  restart();
}

SoakWorld::~SoakWorld() = default;

void SoakWorld::restart() {
  ++m_counts.starts;
  m_process = std::make_unique<Process>(
      m_random, m_api, m_clock, m_counts.results, [this](const std::string& uid) {
        auto& processes = m_helm_begun[uid];
        processes.insert(m_counts.starts);
        REQUIRE_MESSAGE(processes.size() <= 2, uid << ": the Helm step took a third process");
      });
  m_seen.clear();
  deliver(100); // its first list
  for (int tries = 0; tries < 100; ++tries) {
    if (auto runs = m_process->payloads.list_runs({})) {
      m_process->store.begin_term(*std::move(runs));
      return;
    }
  }
  FAIL("payloads could not be listed a hundred times");
}

void SoakWorld::request() {
  const std::string name = "run-" + std::to_string(++m_counts.requests);
  m_api.truth.objects[k_backups + name] = {{"metadata",
                                            {{"name", name},
                                             {"uid", "uid-" + name},
                                             {"resourceVersion", "1"},
                                             {"generation", 1},
                                             {"creationTimestamp", format_rfc3339(m_clock.now())}}},
                                           {"spec", {{"ttlSecondsAfterFinished", 600}}}};
}

void SoakWorld::remove_something() {
  auto& objects = m_api.truth.objects;
  if (!objects.empty()) {
    objects.erase(
        std::next(objects.begin(), static_cast<std::ptrdiff_t>(m_random.below(objects.size()))));
  }
}

void SoakWorld::take(nlohmann::json& order) {
  const std::string uid = order["metadata"]["name"];
  REQUIRE_MESSAGE(m_begun.insert(uid).second, uid << " is begun twice");
  ++m_counts.runs_begun;
  order["status"] = {{"startTime", format_rfc3339(m_clock.now())},
                     {"heartbeatTime", format_rfc3339(m_clock.now())},
                     {"agentID", "pod-1"}};
  bump(order);
}

void SoakWorld::finish(nlohmann::json& order, bool well) {
  order["status"]["completionTime"] = format_rfc3339(m_clock.now());
  order["status"]["conditions"] = {{{"type", "Succeeded"},
                                    {"status", well ? "True" : "False"},
                                    {"reason", well ? "Completed" : "SnapshotFailed"},
                                    {"message", "words"},
                                    {"lastTransitionTime", format_rfc3339(m_clock.now())}}};
  bump(order);
}

void SoakWorld::agent_works() {
  for (auto& [path, object] : m_api.truth.objects) {
    if (!path.starts_with(k_orders) || is_finished(object)) {
      continue;
    }
    const std::size_t luck = m_random.below(10);
    if (!is_taken(object)) {
      if (luck < 6) {
        take(object);
      }
    } else if (luck < 4) {
      finish(object, luck != 0);
    } else if (luck < 9) {
      object["status"]["heartbeatTime"] = format_rfc3339(m_clock.now());
      bump(object);
    } // else it is silent, and maybe dead
  }
}

void SoakWorld::deliver(std::size_t per_cent) {
  controller::Store& store = m_process->store;
  const auto& objects = m_api.truth.objects;
  for (const auto& [path, object] : objects) {
    const bool backup = path.starts_with(k_backups);
    const std::string& version =
        object["metadata"]["resourceVersion"].get_ref<const std::string&>();
    // A path that was made anew begins at version 1 again; its uid is another one.
    const std::string mark = object["metadata"].value("uid", "") + "@" + version;
    if ((!backup && !path.starts_with(k_orders)) || m_seen[path] == mark ||
        m_random.below(100) >= per_cent) {
      continue;
    }
    m_seen[path] = mark;
    backup ? store.upsert_backup(object) : store.upsert_order(object);
  }
  for (auto it = m_seen.begin(); it != m_seen.end();) {
    const auto& [path, mark] = *it;
    if (objects.contains(path) || m_random.below(100) >= per_cent) {
      ++it;
      continue;
    }
    path.starts_with(k_backups) ? store.remove_backup(mark.substr(0, mark.find('@')))
                                : store.remove_order(path.substr(k_orders.size()));
    it = m_seen.erase(it);
  }
}

void SoakWorld::act() {
  try {
    carry_out();
  } catch (const Killed&) {
    ++m_counts.killed_in_helm;
    restart();
  }
}

void SoakWorld::carry_out() {
  const controller::Plan plan = m_process->store.make_plan(std::nullopt);
  for (const auto& patch : plan.statuses) {
    static_cast<void>(m_process->executor.execute(patch, {}));
  }
  for (const auto& action : plan.actions) {
    if (m_random.below(200) == 0 && !m_api.behaves) {
      ++m_counts.restarts;
      restart(); // in the middle of a plan
      return;
    }
    static_cast<void>(m_process->executor.execute(action, {}));
  }
}

void SoakWorld::check() const {
  std::set<std::string> run_ids;
  int at_work = 0;
  for (const auto& [path, object] : m_api.truth.objects) {
    if (path.starts_with(k_backups) && object.contains("status")) {
      const std::string run_id = object["status"].value("runID", "");
      REQUIRE((run_id.empty() || run_ids.insert(run_id).second));
    } else if (path.starts_with(k_orders) && !is_finished(object)) {
      const std::string owner = object["spec"].value("clusterBackupName", "");
      const auto found = m_api.truth.objects.find(k_backups + owner);
      at_work += found != m_api.truth.objects.end() && !is_finished(found->second);
    }
  }
  REQUIRE(at_work <= 1);
}

void SoakWorld::step() {
  switch (m_random.below(20)) {
  case 0:
  case 1:
    request();
    break;
  case 2:
    if (m_random.below(8) == 0) {
      remove_something();
    }
    break;
  case 3:
    m_clock.pass(std::chrono::seconds(m_random.below(4) == 0 ? 4000 : 100));
    break;
  default:
    agent_works();
    m_clock.pass(std::chrono::seconds(m_random.below(5)));
    break;
  }
  deliver(60);
  act();
  check();
}

void SoakWorld::come_to_rest() {
  m_api.behaves = true;
  for (int round = 0; round < 20000 && !m_api.truth.objects.empty(); ++round) {
    agent_works();
    m_clock.pass(std::chrono::seconds(20));
    deliver(100);
    act();
    check();
  }
}

} // namespace rb::test

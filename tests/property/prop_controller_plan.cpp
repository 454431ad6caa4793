// The planner under random interleavings of requests, agents, servers, time, crashes and stale
// views.
// RB_SEED repeats a run, RB_ROUNDS makes it longer.
#include "controller/orders.hpp"
#include "controller/summary.hpp"
#include "unit/controller/world.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace rb;
using namespace rb::controller;
using namespace rb::controller::test;
using std::chrono::seconds;

namespace {

unsigned number_from(const char* variable, unsigned fallback) {
  const char* text = std::getenv(variable);
  return text == nullptr ? fallback : static_cast<unsigned>(std::strtoul(text, nullptr, 10));
}

/// One random history of a cluster, with the promises checked at every step.
class History {
public:
  /// A cluster with so many servers.
  History(unsigned seed, int servers) : m_random(seed), m_world(cluster()) {
    for (int i = 1; servers > 1 && i <= servers; ++i) {
      const std::string node = "n" + std::to_string(i);
      m_world.agents["agent-" + std::to_string(i)] = {"agent-" + std::to_string(i), node, true};
      m_world.servers[node] = {api::Datastore::embedded_etcd, api::Member::voting};
    }
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      disturb();
      act();
      check();
    }
    come_to_rest();
  }

private:
  unsigned below(unsigned limit) {
    return std::uniform_int_distribution<unsigned>(0, limit - 1)(m_random);
  }

  void disturb() {
    switch (below(14)) {
    case 0:
    case 1:
      request();
      break;
    case 2:
      m_world.memory.clear(); // another controller takes over
      ++m_process;
      break;
    case 3:
      for (auto& [pod, agent] : m_world.agents) {
        agent.ready = below(3) != 0;
      }
      break;
    case 4:
      m_world.recipients_problem =
          below(3) == 0 ? std::optional(RecipientsProblem{}) : std::nullopt;
      break;
    case 5:
      if (!m_world.backups.empty() && below(3) == 0) {
        const auto victim = std::next(m_world.backups.begin(),
                                      below(static_cast<unsigned>(m_world.backups.size())));
        m_deleted.insert(victim->first);
        m_world.backups.erase(victim);
      }
      break;
    case 6:
      pass_time(below(200));
      break;
    case 7:
      if (!m_world.orders.empty() && below(4) == 0) {
        m_world.orders.erase(
            std::next(m_world.orders.begin(), below(static_cast<unsigned>(m_world.orders.size()))));
      } // by hand
      break;
    case 8:
      change_member();
      break;
    default:
      pass_time(below(5));
      agent_step();
    }
  }

  void change_member() {
    constexpr std::array k_members{
        api::Member::unknown, api::Member::voting, api::Member::learner, api::Member::no_quorum};
    if (!m_world.servers.empty()) {
      const auto server =
          std::next(m_world.servers.begin(), below(static_cast<unsigned>(m_world.servers.size())));
      server->second.member = k_members.at(below(k_members.size()));
    }
  }

  void request() {
    auto request = backup("b" + std::to_string(m_requests++));
    request.meta.creation_timestamp = m_world.now;
    if (below(3) == 0) {
      request.spec.artifacts = {api::ArtifactType::datastore};
    }
    if (below(4) == 0) {
      request.spec.ttl_seconds_after_finished = static_cast<std::int32_t>(below(100));
    }
    request.spec.servers = below(4) == 0 ? api::Servers::one : api::Servers::all;
    request.spec.deadline_seconds = static_cast<std::int32_t>(1 + below(2000));
    add(m_world, request);
  }

  void pass_time(unsigned by) {
    m_world.now += seconds{by};
    for (auto& [name, silence] : m_world.order_silence) {
      silence += seconds{by};
    }
  }

  void agent_step() {
    for (auto& [name, order] : m_world.orders) {
      if (order.finished()) {
        continue;
      }
      if (!order.accepted()) {
        if (below(2) == 0) {
          accept(m_world, name);
        }
      } else if (below(3) == 0) {
        finish(m_world, name);
      } else if (below(5) == 0) {
        fail(m_world, name, api::Reason::snapshot_failed, "no");
      } else {
        m_world.order_silence[name] = seconds{0};
      }
    }
  }

  /// Carries out the plan, or only a part of it (a crash, an API that fails).
  void act() {
    const Observed before = m_world;
    Plan next = plan(m_world);
    for (const Action& action : next.actions) {
      inspect(action);
    }
    for (const StatusPatch& patch : next.statuses) {
      inspect(patch);
    }
    if (below(4) == 0 && !next.actions.empty()) {
      next.actions.resize(below(static_cast<unsigned>(next.actions.size())));
    }
    if (below(6) == 0) {
      next.statuses.clear();
    }
    carry_out(next, m_world);
    if (below(6) == 0) {
      carry_out(plan(before), m_world); // planned on a stale view: preconditions must hold it
    }
  }

  /// An Event tells how a run ended, once; no step is one.
  void inspect(const StatusPatch& patch) {
    if (patch.event) {
      const auto* result =
          api::find_condition(patch.status.conditions, api::condition_type::k_succeeded);
      REQUIRE(result->status != api::ConditionStatus::unknown);
      REQUIRE_FALSE(m_world.backups.at(patch.uid).finished());
    }
  }

  void inspect(const Action& action) {
    if (const auto* create = std::get_if<CreateOrder>(&action)) {
      const auto& spec = create->order.spec;
      const api::ClusterBackup& owner = m_world.backups.at(owner_of(create->order));
      REQUIRE_FALSE(owner.finished());
      REQUIRE(owner.status.run_id == spec.run_id); // persisted first
      REQUIRE_FALSE(m_world.recipients_problem.has_value());
      inspect_servers(owner, create->order);
    }
    if (const auto* collect = std::get_if<CollectHelm>(&action)) {
      REQUIRE(helm_attempts(m_world.backups.at(collect->uid).status) > 0); // persisted first
      auto& processes = m_helm_processes[collect->uid];
      processes.insert(m_process);
      REQUIRE(processes.size() <= 2);
    }
    if (const auto* remove = std::get_if<DeleteBackup>(&action)) {
      REQUIRE(m_world.backups.at(remove->uid).finished());
    }
  }

  /// A run on several servers orders from those that its status has chosen, by a name that stays,
  /// and all with one payload.
  void inspect_servers(const api::ClusterBackup& owner, const api::NodeBackup& order) {
    const auto& servers = owner.status.servers;
    if (servers.empty()) {
      REQUIRE(order.meta.name == owner.meta.uid);
      return;
    }
    const auto copy = std::ranges::find(servers, order.spec.node_name, &api::ServerCopy::node_name);
    REQUIRE(copy != servers.end());
    REQUIRE(copy->result == api::CopyState::pending);
    REQUIRE(order.meta.name == order_name(owner, order.spec.node_name));
    for (const api::NodeBackup* other : orders_of(m_world, owner.meta.uid)) {
      REQUIRE(other->spec.node_name != order.spec.node_name);
      REQUIRE(other->spec.helm_payload.has_value() == order.spec.helm_payload.has_value());
    }
    auto [known, fresh] = m_order_names.emplace(order.meta.name, order.spec.node_name);
    REQUIRE(known->second == order.spec.node_name);
  }

  /// The choice of servers stays, and Succeeded and Copies agree with what is said of each.
  void check_servers(const std::string& uid, const api::ClusterBackup& backup) {
    const auto& copies = backup.status.servers;
    std::vector<std::pair<std::string, bool>> choice;
    for (const api::ServerCopy& copy : copies) {
      choice.emplace_back(copy.node_name, copy.result == api::CopyState::left_out);
    }
    if (!copies.empty()) {
      auto [known, fresh] = m_choices.emplace(uid, choice);
      REQUIRE(known->second == choice);
    }
    if (!backup.finished() || copies.empty()) {
      return;
    }
    const auto whole = api::whole_copies(copies);
    const auto status_of = [&](std::string_view type) {
      return api::find_condition(backup.status.conditions, type)->status;
    };
    const bool succeeded =
        status_of(api::condition_type::k_succeeded) == api::ConditionStatus::true_;
    REQUIRE(succeeded == (whole > 0));
    REQUIRE((status_of(api::condition_type::k_copies) == api::ConditionStatus::true_) ==
            (whole == copies.size()));
    for (const api::ServerCopy& copy : copies) {
      REQUIRE((copy.ended() || copy.result == api::CopyState::left_out));
    }
    if (succeeded) {
      const auto named =
          std::ranges::find(copies, backup.status.node_name, &api::ServerCopy::node_name);
      REQUIRE(named->result == api::CopyState::succeeded);
    }
  }

  void check() {
    std::set<std::string> run_ids;
    for (const auto& [uid, backup] : m_world.backups) {
      const auto& status = backup.status;
      if (!status.run_id.empty()) {
        REQUIRE(run_ids.insert(status.run_id).second);
        auto [known, fresh] = m_run_ids.emplace(uid, status.run_id);
        REQUIRE(known->second == status.run_id);
      }
      if (backup.finished()) {
        auto [known, fresh] = m_results.emplace(uid, to_json(status));
        REQUIRE(known->second == to_json(status)); // for good
        REQUIRE(status.conditions.size() == (status.servers.empty() ? 7 : 8));
      }
      check_servers(uid, backup);
    }
    std::set<std::string> at_work;
    for (const auto& [name, order] : m_world.orders) {
      const auto owner = m_world.backups.find(owner_of(order));
      if (!order.finished() && owner != m_world.backups.end() && !owner->second.finished()) {
        at_work.insert(owner->first);
      }
    }
    REQUIRE(at_work.size() <= 1);
  }

  /// With time, every history ends: all runs have a result, and there is nothing left to do.
  void come_to_rest() {
    for (int round = 0; round < 100000; ++round) {
      REQUIRE(settle(m_world) < 1000); // the fix-point
      check();
      if (active_run(m_world) == nullptr) {
        break;
      }
      pass_time(static_cast<unsigned>(plan(m_world).requeue_after.value().count()));
    }
    REQUIRE(active_run(m_world) == nullptr);
    REQUIRE(plan(m_world).empty());
    REQUIRE(m_world.payload_runs.empty());
    for (const auto& [name, order] : m_world.orders) {
      REQUIRE(order.finished());
    }
  }

  std::mt19937 m_random;
  Observed m_world;
  int m_requests = 0;
  std::set<std::string> m_deleted;
  int m_process = 0;                                     ///< Counts controllers.
  std::map<std::string, std::set<int>> m_helm_processes; ///< Which began the Helm step, by uid.
  std::map<std::string, std::string> m_run_ids;
  std::map<std::string, nlohmann::json> m_results;
  std::map<std::string, std::string> m_order_names; ///< And the node of each.
  std::map<std::string, std::vector<std::pair<std::string, bool>>> m_choices; ///< Or left out.
};

} // namespace

TEST_CASE("every history comes to rest, one run at a time, results for good") {
  const unsigned seed = number_from("RB_SEED", std::random_device{}());
  const unsigned rounds = number_from("RB_ROUNDS", 200);
  MESSAGE("RB_SEED=" << seed);
  for (unsigned round = 0; round < rounds; ++round) {
    CAPTURE(seed + round);
    History(seed + round, 1 + static_cast<int>(round % 4)).run(80);
  }
}

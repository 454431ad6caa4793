#include "controller/agents.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace rb::controller {

namespace {

bool is_ready(const nlohmann::json& pod) {
  if (pod.at("metadata").contains("deletionTimestamp")) {
    return false;
  }
  const auto status = pod.value("status", nlohmann::json::object());
  const auto conditions = status.value("conditions", nlohmann::json::array());
  return std::ranges::any_of(conditions, [](const nlohmann::json& condition) {
    return condition.value("type", "") == "Ready" && condition.value("status", "") == "True";
  });
}

bool has_ready_agent(const Observed& observed, const std::string& node) {
  if (node.empty()) {
    return false;
  }
  return std::ranges::any_of(observed.agents, [&](const auto& entry) {
    return entry.second.ready && entry.second.node == node;
  });
}

/// Of the latest run that stored something.
std::string last_node(const Observed& observed) {
  const api::ClusterBackup* last = nullptr;
  for (const auto& [uid, backup] : observed.backups) {
    if (backup.finished() && !backup.status.node_name.empty() &&
        backup.status.total_size_bytes > 0 &&
        (last == nullptr || last->status.run_id < backup.status.run_id)) {
      last = &backup;
    }
  }
  return last == nullptr ? std::string{} : last->status.node_name;
}

const ServerFacts* facts_of(const Observed& observed, const std::string& node) {
  const auto found = observed.servers.find(node);
  return found == observed.servers.end() ? nullptr : &found->second;
}

bool has_etcd(const Observed& observed, const std::string& node) {
  const ServerFacts* facts = facts_of(observed, node);
  return facts != nullptr && facts->datastore == api::Datastore::embedded_etcd;
}

/// How well a node serves for a run, the best first.
enum class Rank { right, unknown, not_voting, other_datastore, nothing };

Rank rank_of_member(api::Member member) {
  switch (member) {
  case api::Member::unknown: // the agent says why when it tries
  case api::Member::voting:
    return Rank::right;
  case api::Member::learner:
  case api::Member::no_quorum:
    break;
  }
  return Rank::not_voting;
}

/// `last` is the node of the latest run that stored something: what it could then it can now,
/// unless its agent says otherwise.
Rank rank_of(const Observed& observed,
             const api::ClusterBackup& backup,
             const std::string& node,
             const std::string& last) {
  if (std::ranges::find(backup.spec.artifacts, api::ArtifactType::datastore) ==
      backup.spec.artifacts.end()) {
    return Rank::right; // the other artifacts are on every server
  }
  const ServerFacts* facts = facts_of(observed, node);
  switch (facts == nullptr ? api::Datastore::unknown : facts->datastore) {
  case api::Datastore::embedded_etcd:
    return rank_of_member(facts->member);
  case api::Datastore::sqlite:
    return Rank::right;
  case api::Datastore::unknown:
    return node == last ? Rank::right : Rank::unknown;
  case api::Datastore::external:
    return Rank::other_datastore;
  case api::Datastore::none:
    break;
  }
  return Rank::nothing;
}

struct Candidate {
  Rank rank;
  std::string node;
};

std::optional<Candidate> best_ready(const Observed& observed, const api::ClusterBackup& backup) {
  const std::string last = last_node(observed);
  const auto key = [&](const Candidate& candidate) {
    return std::tuple(candidate.rank, candidate.node != last, std::string_view(candidate.node));
  };
  std::optional<Candidate> best;
  for (const auto& [pod, agent] : observed.agents) {
    if (!agent.ready || agent.node.empty()) {
      continue;
    }
    Candidate candidate{rank_of(observed, backup, agent.node, last), agent.node};
    if (!best || key(candidate) < key(*best)) {
      best = std::move(candidate);
    }
  }
  return best;
}

bool knows_a_datastore(const Observed& observed) {
  return std::ranges::any_of(observed.servers, [](const auto& entry) {
    return entry.second.datastore != api::Datastore::unknown &&
           entry.second.datastore != api::Datastore::none;
  });
}

bool wants_all(const api::ClusterBackup& backup) {
  return backup.spec.servers == api::Servers::all && backup.spec.node_name.empty();
}

api::ServerCopy left_out(const std::string& node, api::Reason reason, std::string message) {
  api::ServerCopy copy;
  copy.node_name = node;
  copy.result = api::CopyState::left_out;
  copy.reason = api::to_string(reason);
  copy.message = std::move(message);
  return copy;
}

api::ServerCopy chosen(const std::string& node) {
  api::ServerCopy copy;
  copy.node_name = node;
  copy.reason = api::to_string(api::Reason::pending);
  return copy;
}

/// What a run on several servers does with this one; nothing where it keeps no etcd.
std::optional<api::ServerCopy> copy_on(const Observed& observed, const std::string& node) {
  const ServerFacts* facts = facts_of(observed, node);
  const bool said = facts != nullptr && facts->datastore != api::Datastore::unknown;
  if (said && facts->datastore != api::Datastore::embedded_etcd) {
    return std::nullopt;
  }
  if (!has_ready_agent(observed, node)) {
    return left_out(node, api::Reason::agent_unavailable, "its agent is not ready");
  }
  if (!said) {
    return left_out(
        node, api::Reason::agent_unavailable, "its agent does not say which datastore it has");
  }
  switch (facts->member) {
  case api::Member::learner:
    return left_out(node,
                    api::Reason::member_not_voting,
                    "its etcd member is a learner: it has joined and does not vote yet");
  case api::Member::no_quorum:
    return left_out(
        node, api::Reason::no_quorum, "its etcd member has lost the others: it has no quorum");
  case api::Member::unknown:
  case api::Member::voting:
    break;
  }
  return chosen(node);
}

/// An agent is ready and has not said anything yet: its server may be one more.
bool may_have_more(const Observed& observed, const std::string& first) {
  return has_etcd(observed, first) && std::ranges::any_of(observed.agents, [&](const auto& entry) {
           return entry.second.ready && !entry.second.node.empty() &&
                  !observed.servers.contains(entry.second.node);
         });
}

} // namespace

Result<Agent> agent_from_pod(const nlohmann::json& pod) {
  try {
    return Agent{pod.at("metadata").at("name").get<std::string>(),
                 pod.at("spec").value("nodeName", ""),
                 is_ready(pod)};
  } catch (const nlohmann::json::exception&) {
    return Error{ErrorCode::corrupt, "pod: not of the form of v1 Pod", {}};
  }
}

std::optional<std::string> choose_node(const Observed& observed, const api::ClusterBackup& backup) {
  if (!backup.spec.node_name.empty()) {
    return has_ready_agent(observed, backup.spec.node_name)
               ? std::optional<std::string>{backup.spec.node_name}
               : std::nullopt;
  }
  const auto best = best_ready(observed, backup);
  return best && !(best->rank == Rank::nothing && knows_a_datastore(observed))
             ? std::optional<std::string>{best->node}
             : std::nullopt;
}

std::vector<api::ServerCopy> choose_servers(const Observed& observed,
                                            const api::ClusterBackup& backup,
                                            const std::string& first) {
  std::vector<api::ServerCopy> copies;
  if (!wants_all(backup) || !has_etcd(observed, first)) {
    return copies;
  }
  for (const std::string& node : nodes_with_agent(observed)) {
    auto copy = copy_on(observed, node);
    if (node == first) { // better than none, whatever its member is
      copy = chosen(node);
    }
    if (copy && copies.size() < api::k_servers_limit) {
      copies.push_back(*std::move(copy));
    }
  }
  return copies.size() < 2 ? std::vector<api::ServerCopy>{} : copies;
}

std::vector<api::ServerEntry> known_servers(const Observed& observed) {
  std::vector<api::ServerEntry> servers;
  for (const std::string& node : nodes_with_agent(observed)) {
    if (has_etcd(observed, node) && servers.size() < api::k_servers_limit) {
      const ServerFacts& facts = observed.servers.at(node);
      servers.push_back({node, facts.address, facts.public_key});
    }
  }
  return servers.size() < 2 ? std::vector<api::ServerEntry>{} : servers;
}

bool is_better_to_wait(const Observed& observed, const api::ClusterBackup& backup) {
  const auto best = best_ready(observed, backup);
  if (!backup.spec.node_name.empty()) {
    return false;
  }
  if (best && best->rank == Rank::right) {
    return wants_all(backup) && may_have_more(observed, best->node);
  }
  return std::ranges::any_of(observed.agents, [&](const auto& entry) {
    const Agent& agent = entry.second;
    const bool silent = !agent.node.empty() && !observed.servers.contains(agent.node);
    const bool chosen = best && best->node == agent.node;
    return !chosen &&
           (silent || (!agent.ready && rank_of(observed, backup, agent.node, {}) == Rank::right));
  });
}

bool names_wrong_node(const Observed& observed, const api::ClusterBackup& backup) {
  return !backup.spec.node_name.empty() &&
         rank_of(observed, backup, backup.spec.node_name, {}) == Rank::nothing &&
         knows_a_datastore(observed);
}

bool names_unknown_node(const Observed& observed, const api::ClusterBackup& backup) {
  const std::string& named = backup.spec.node_name;
  const bool known = observed.servers.contains(named) ||
                     std::ranges::any_of(observed.agents, [&](const auto& entry) {
                       return entry.second.node == named;
                     });
  return !named.empty() && !known &&
         std::ranges::any_of(observed.agents, [](const auto& entry) { return entry.second.ready; });
}

std::vector<std::string> nodes_with_agent(const Observed& observed) {
  std::set<std::string> nodes;
  for (const auto& [pod, agent] : observed.agents) {
    if (!agent.node.empty()) {
      nodes.insert(agent.node);
    }
  }
  return {nodes.begin(), nodes.end()};
}

std::vector<std::string> nodes_with(const Observed& observed, api::Datastore datastore) {
  std::vector<std::string> nodes;
  for (const auto& [node, its] : observed.servers) {
    if (its.datastore == datastore) {
      nodes.push_back(node);
    }
  }
  return nodes;
}

std::vector<std::string> nodes_with_database(const Observed& observed) {
  std::vector<std::string> nodes = nodes_with(observed, api::Datastore::embedded_etcd);
  for (std::string& node : nodes_with(observed, api::Datastore::sqlite)) {
    nodes.push_back(std::move(node));
  }
  std::ranges::sort(nodes);
  return nodes;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list.append(list.empty() ? "" : ", ").append(name);
  }
  return list;
}

} // namespace rb::controller

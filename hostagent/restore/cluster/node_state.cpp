#include "restore/cluster/node_state.hpp"

#include "k3s/command.hpp"
#include "k3s/etcd_members.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr auto k_interval = std::chrono::seconds(2);
constexpr auto k_limit = std::chrono::seconds(60);

/// A server that does not answer may be one that ends again and again.
NodeState state_of(const Result<ProcessResult>& answer, const std::string& since) {
  if (answer && answer->exit_status == 0) {
    return node_state_in(answer->out, since);
  }
  const bool none = answer && answer->err.find("(NotFound)") != std::string::npos;
  return none ? NodeState::unknown : NodeState::silent;
}

} // namespace

NodeState node_state_in(std::string_view node, const std::string& since) {
  const nlohmann::json found = json_of(node);
  for (const nlohmann::json& one : json_list(json_member(found, "status"), "conditions")) {
    if (json_text(one, "type") == "Ready") {
      const bool ready =
          json_text(one, "status") == "True" && json_text(one, "lastHeartbeatTime") >= since;
      return ready ? NodeState::ready : NodeState::silent;
    }
  }
  return NodeState::unknown;
}

bool await_node(const std::function<NodeState()>& look, Ports& ports, const Limits& limits) {
  const auto limit = std::min<std::chrono::seconds>(k_limit, limits.ready);
  const auto begin = ports.clock.steady_now();
  while (look() == NodeState::silent) {
    if (ports.stop.stop_requested() || ports.clock.steady_now() - begin >= limit) {
      return false;
    }
    ports.waiter.wait(k_interval, ports.stop);
  }
  return true;
}

void tell_of_restored_node(const JournalState& state, Ports& ports, const Limits& limits) {
  const Plan& plan = state.plan;
  const std::string node = k3s::node_of_member(k3s::member_name_in(plan.data_dir));
  if (node.empty()) {
    return;
  }
  const ProcessSpec spec =
      k3s::kubectl_spec({plan.k3s_program, plan.kubeconfig, plan.data_dir},
                        {"get", "--raw=/api/v1/nodes/" + node, "--request-timeout=5s"});
  const auto look = [&] { return state_of(ports.processes.run(spec, ports.stop), state.started); };
  if (await_node(look, ports, limits) || ports.stop.stop_requested()) {
    return;
  }
  const std::string words = ports.service.last_words();
  ports.progress.on_line(
      "warning: the API serves what was restored, but the node " + node + " is not Ready" +
      (words.empty() ? "; the log of k3s says why (journalctl -u k3s)" : "; k3s says: " + words));
}

} // namespace rb::cluster

#include "restore/cluster/database.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/node_state.hpp"
#include "restore/cluster/server_access.hpp"
#include "restore/cluster/servers.hpp"
#include "restore/cluster/steps.hpp"

#include "base/json_fields.hpp"
#include "base/json_member.hpp"
#include "base/secret_bytes.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr auto k_interval = std::chrono::milliseconds(500);
constexpr auto k_leave_limit = std::chrono::seconds(60);
constexpr auto k_command_limit = std::chrono::seconds(15);
/// A Node with it loses its member (k3s, pkg/etcd/member_controller.go).
constexpr const char* k_remove = "etcd.k3s.cattle.io/remove=true";

std::string etcd_of(const Plan& plan) {
  return plan.data_dir + "/server/db/etcd";
}

/// Through the kubeconfig that this server has written.
Access local_access(const Plan& plan) {
  return {{plan.k3s_program, plan.kubeconfig, plan.data_dir}, {}, {}};
}

Result<std::vector<EtcdMember>> members_here(const Plan& plan, Ports& ports) {
  return ask_members(
      ports.processes, local_access(plan), loopback_url(plan.joining->supervisor_url), ports.stop);
}

/// As this server lists them, or, where it does not answer, as the restored one does: k3s gives a
/// learner its vote by itself, at any moment.
Result<std::vector<EtcdMember>> members_anywhere(const Plan& plan, Ports& ports) {
  auto members = members_here(plan, ports);
  if (members) {
    return members;
  }
  const auto access = ServerAccess::make(plan.k3s_program,
                                         nullptr,
                                         plan.data_dir,
                                         under_root(k_access_file, plan, ports),
                                         ports.clock.now());
  return access ? ask_members(
                      ports.processes, access->access(), plan.joining->supervisor_url, ports.stop)
                : members;
}

/// "2 of 3 members"
std::string count_of(const std::vector<EtcdMember>& members, const Joining& joining) {
  return std::to_string(voting(members)) + " of " +
         std::to_string(std::max<std::uint64_t>(joining.servers, members.size())) + " members";
}

Error left_alone(std::string message, std::string hint, ErrorCode code) {
  return {code, std::move(message) + "; nothing was changed", std::move(hint)};
}

/// The Node that has this member, by k3s's own note at it: with `with-node-id` its name is longer
/// than the member's, and old releases named members by the short name of the host.
std::string node_with(const Plan& plan, const std::string& member, Ports& ports) {
  constexpr const char* k_nodes = "/api/v1/nodes?labelSelector=node-role.kubernetes.io%2Fetcd";
  constexpr const char* k_member = "etcd.k3s.cattle.io/node-name";
  const auto text =
      get_raw(ports.processes, local_access(plan), {}, plan.joining->api_url, k_nodes, {});
  const nlohmann::json found = text ? json_of(*text) : nlohmann::json();
  for (const nlohmann::json& node : json_list(found, "items")) {
    const nlohmann::json& metadata = json_member(node, "metadata");
    std::string name = json_text(metadata, "name");
    if (json_text(json_member(metadata, "annotations"), k_member) == member && !name.empty()) {
      return name;
    }
  }
  return k3s::node_of_member(member);
}

/// k3s says so at the Node when it has taken the member out (pkg/etcd/member_controller.go).
bool was_taken_out(const Plan& plan,
                   const std::string& node,
                   const std::string& member,
                   Ports& ports) {
  constexpr const char* k_removed = "etcd.k3s.cattle.io/removed-node-name";
  const auto text = get_raw(
      ports.processes, local_access(plan), {}, plan.joining->api_url, "/api/v1/nodes/" + node, {});
  const nlohmann::json found = text ? json_of(*text) : nlohmann::json();
  const nlohmann::json& notes = json_member(json_member(found, "metadata"), "annotations");
  return !member.empty() && json_text(notes, k_removed) == member;
}

/// By its Node: k3s has no other way.
Status take_out(const Plan& plan, const std::string& node, Ports& ports) {
  const auto result =
      ports.processes.run(k3s::kubectl_spec(local_access(plan).kubectl,
                                            {"annotate", "node", node, k_remove, "--overwrite"},
                                            k_command_limit),
                          ports.stop);
  if (!result) {
    return result.error();
  }
  if (result->exit_status != 0) {
    return left_alone("this host is a voting member of the restored cluster, which would be left "
                      "with a vote that never comes; its Node " +
                          node + " cannot be marked: " + std::string(last_line(result->err)),
                      "k3s takes a member out only by its Node; without one stay, or reset the "
                      "other server (`k3s server --cluster-reset`) after the way back by hand",
                      ErrorCode::unsupported);
  }
  return {};
}

Status wait_until_out(const Plan& plan,
                      const std::string& node,
                      const std::string& own,
                      Ports& ports,
                      const Limits& limits) {
  const auto limit = std::min<std::chrono::seconds>(k_leave_limit, limits.ready);
  const auto begin = ports.clock.steady_now();
  while (ports.clock.steady_now() - begin < limit) {
    ports.waiter.wait(k_interval, {});
    if (was_taken_out(plan, node, own, ports)) { // etcd ends here with its membership
      return {};
    }
    const auto members = members_here(plan, ports);
    if (members && member_named(*members, own) == nullptr) {
      return {};
    }
  }
  return left_alone("this host still votes in the restored cluster after " +
                        std::to_string(limit.count()) + " s",
                    "see the log of k3s on the other servers, and repeat",
                    ErrorCode::timeout);
}

/// With a node password that is not that of the snapshot k3s goes on as a server, and its Node
/// stays NotReady. No reason to go back.
void tell_of_node(const JournalState& state, Ports& ports, const Limits& limits) {
  const Plan& plan = state.plan;
  const std::string node = node_with(plan, k3s::member_name_in(plan.data_dir), ports);
  const auto look = [&] {
    const auto text = get_raw(ports.processes,
                              local_access(plan),
                              {},
                              plan.joining->api_url,
                              "/api/v1/nodes/" + node,
                              {});
    return text ? node_state_in(*text, state.started) : NodeState::unknown;
  };
  if (!await_node(look, ports, limits)) {
    ports.progress.on_line("warning: its Node " + node +
                           " is not Ready yet (`k3s kubectl get nodes`); where k3s says `Node "
                           "password rejected` here: `k3s kubectl -n kube-system delete secret " +
                           node + ".node-password.k3s`");
  }
}

} // namespace

Status do_put_token(const JournalState& state, Ports& ports) {
  RB_TRY_ASSIGN(const set::HostState host, ports.set.host_state());
  const std::string server = state.plan.data_dir + "/server";
  RB_TRY(make_directories(server, 0700));
  const auto put = [&](const char* name, std::string_view token) -> Status {
    if (token.empty()) {
      return {};
    }
    SecretBuffer line;
    line.append(token);
    line.append('\n');
    return write_file(server + name, line.view(), 0600);
  };
  RB_TRY(put("/token", host.server_token()));
  return put("/agent-token", host.agent_token());
}

Status do_set_aside(const JournalState& state, Ports& ports) {
  RB_TRY(expect_no_server(state.plan.data_dir, ports));
  // First: k3s that comes up by itself in the midst makes them anew from the database of before.
  for (const std::string& name : state.plan.joining->shared) {
    RB_TRY(remove_path(state.plan.data_dir + "/server/" + name)); // copied aside by save-state
  }
  const std::string etcd = etcd_of(state.plan);
  if (!state.had_database || !state.original.empty() || !exists(etcd)) {
    return {};
  }
  return move_path(etcd, free_name(etcd + "-old-" + seconds_text(ports.clock)));
}

Status do_name_server(const JournalState& state, Ports& ports) {
  const Joining& joining = *state.plan.joining;
  const std::string path = under_root(joining.drop_in, state.plan, ports);
  RB_TRY(make_directories(path.substr(0, path.rfind('/')), 0755));
  return write_file(path, as_bytes(joining.drop_in_text), 0600);
}

Status do_join(const Plan& plan, Ports& ports, const Limits& limits, Outcome& outcome) {
  const auto begin = ports.clock.steady_now();
  ServiceWatch watch(plan.data_dir, ports);
  std::string said = "its members are not known";
  while (true) {
    const auto members = members_here(plan, ports);
    if (members) {
      const EtcdMember* const own = member_named(*members, k3s::member_name_in(plan.data_dir));
      if (own != nullptr && !own->learner) {
        outcome.members = voting(*members);
        ports.progress.on_line(count_of(*members, *plan.joining) + " vote");
        return {};
      }
      said = own == nullptr ? "etcd does not list it" : "etcd lists it as a learner";
    } else {
      said = members.error().message;
    }
    RB_TRY(watch.look());
    if (ports.stop.stop_requested()) {
      return Error{ErrorCode::cancelled, "told to stop", {}};
    }
    if (ports.clock.steady_now() - begin >= limits.ready) {
      return with_last_words(
          {ErrorCode::timeout, "this host is no voting member in time: " + said, {}}, ports);
    }
    ports.waiter.wait(k_interval, ports.stop);
  }
}

Status do_agree(const JournalState& state, Ports& ports, const Limits& limits) {
  const Plan& plan = state.plan;
  const Access access = local_access(plan);
  const auto begin = ports.clock.steady_now();
  std::optional<std::uint64_t> wanted;
  Error last{ErrorCode::timeout, "this server does not answer", {}};
  while (ports.clock.steady_now() - begin < limits.ready) {
    const auto theirs = wanted ? Result<std::uint64_t>(*wanted)
                               : ask_revision(ports.processes, access, plan.joining->api_url, {});
    const std::string here = loopback_url(plan.joining->api_url);
    const auto ours = ask_revision(ports.processes, access, here, {});
    if (theirs && ours && *ours >= *theirs) {
      ports.progress.on_line("this server holds revision " + std::to_string(*theirs) + " of " +
                             plan.joining->server);
      tell_of_node(state, ports, limits);
      return {};
    }
    if (theirs) {
      wanted = *theirs;
    }
    last = !theirs ? theirs.error()
           : !ours ? ours.error()
                   : Error{ErrorCode::timeout,
                           "this server is at revision " + std::to_string(*ours) + ", " +
                               plan.joining->server + " at " + std::to_string(*theirs),
                           {}};
    ports.waiter.wait(k_interval, {});
  }
  return last;
}

Status leave_cluster(const JournalState& state, Ports& ports, const Limits& limits) {
  const Plan& plan = state.plan;
  const bool started = state.is_complete(Step::start) || state.current == Step::start;
  // The journal says that it goes back only once the member has left; the other is etcd's own word.
  const bool left = state.phase == Phase::rolling_back || state.phase == Phase::rolled_back ||
                    exists(etcd_of(plan) + "/tombstone");
  const std::string own = plan.joining ? k3s::member_name_in(plan.data_dir) : std::string();
  if (!started || left || own.empty()) {
    return {};
  }
  const auto members = members_anywhere(plan, ports);
  if (!members && state.is_complete(Step::join)) {
    return left_alone("whether this host still votes cannot be asked: " + members.error().message,
                      "see that k3s runs here and its API answers, and repeat",
                      ErrorCode::unavailable);
  }
  if (!members) {
    ports.progress.on_line("warning: whether this host votes already cannot be asked (" +
                           members.error().message + "): where the restored server has the " +
                           "member " + own + ", delete its Node there");
    return {};
  }
  const EtcdMember* const member = member_named(*members, own);
  if (member == nullptr || member->learner) {
    return {};
  }
  if (voting(*members) == 1) {
    return left_alone("this host is the only member that is left of the restored cluster",
                      "bring another one in first (`railiance-restore rejoin` there)",
                      ErrorCode::busy);
  }
  if (ports.service.state() == k3s::ServiceState::inactive) {
    return left_alone("this host is a voting member of the restored cluster, and k3s is stopped "
                      "here: without its vote the others may be unable to do anything",
                      "start k3s and repeat, so that the member can be taken out",
                      ErrorCode::busy);
  }
  ports.progress.on_line("taking this host's member out of the restored cluster");
  const std::string node = node_with(plan, own, ports);
  RB_TRY(take_out(plan, node, ports));
  return wait_until_out(plan, node, own, ports, limits);
}

} // namespace rb::cluster

#include "restore/cluster/rejoin.hpp"

#include "k3s/credentials.hpp"
#include "k3s/token.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/machine.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr const char* k_api_port = "6443";
/// The last one that k3s reads: what it says counts.
constexpr const char* k_drop_in = ".d/zz-railiance-rejoin.yaml";

bool is_ready(const ServerAnswer& answer) {
  return answer.contact == Contact::ready;
}

Choice none(std::string message, std::string hint, ExitCode code) {
  return {nullptr, refused("server", std::move(message), std::move(hint), code)};
}

/// Every server, and why it does not answer.
Choice nobody(const RejoinFacts& facts) {
  if (!facts.access_problem.empty()) {
    return none(facts.access_problem, "choose a set with host state", ExitCode::incomplete);
  }
  if (facts.servers.empty()) {
    return none("the set does not say which other servers the cluster had",
                "name the one that was restored: --server https://ADDRESS:6443",
                ExitCode::failed);
  }
  std::string all;
  ExitCode code = ExitCode::unreachable;
  for (const ServerAnswer& one : facts.servers) {
    all += (all.empty() ? "" : "; ") + one.text() + ": " + one.problem;
    code = one.contact == Contact::stranger || one.contact == Contact::refused ? ExitCode::failed
                                                                               : code;
  }
  return none("no server of the set's cluster answers: " + all,
              "restore on one of them first (`railiance-restore restore --execute "
              "--single-server`), see that this host reaches it, or name it: --server "
              "https://ADDRESS:6443",
              code);
}

/// Of all that answer with a list of members: two that do not know of each other.
std::optional<Check> apart(const std::vector<const ServerAnswer*>& answering) {
  for (const ServerAnswer* const one : answering) {
    for (const ServerAnswer* const other : answering) {
      if (!one->members.empty() && !other->members.empty() &&
          !same_members(one->members, other->members)) {
        return refused("server",
                       "two hosts answer as clusters of their own: " + one->text() + " with " +
                           std::to_string(one->members.size()) + " and " + other->text() +
                           " with " + std::to_string(other->members.size()) +
                           " members: both were restored, or one was not stopped before",
                       "keep one of them; stop k3s on the other, go back there where it was "
                       "restored (`railiance-restore restore --rollback`), and let it rejoin, too");
      }
    }
  }
  return std::nullopt;
}

/// There is neither a database nor anything of a cluster.
bool is_empty(const RejoinFacts& facts) {
  const DataDir& data = facts.host.data;
  return facts.member_name.empty() && !data.etcd && !data.tombstone && data.token_hash.empty() &&
         !k3s::knows_authority(data.cluster_cas);
}

Plan make_plan(const RejoinFacts& facts, const ServerAnswer& server) {
  const ObservedHost& host = facts.host;
  Plan plan;
  plan.run_id = facts.set.run_id;
  plan.data_dir = host.data_dir;
  plan.k3s_program = host.k3s_program;
  plan.kubeconfig = k3s::kubeconfig_of(host.settings);
  Joining joining;
  joining.server = server.text();
  joining.api_url = server.api_url;
  joining.supervisor_url = server.supervisor_url;
  joining.servers = std::max<std::uint64_t>(facts.set.members, facts.set.servers.size());
  const bool by_unit = !unit_leads_to(facts, server).empty();
  joining.drop_in_text =
      drop_in_text(host.settings,
                   by_unit ? host.settings.value("server") : server.supervisor_url,
                   host.data_dir);
  joining.shared = k3s::shared_credentials(host.data_dir, host.settings);
  if (!joining.drop_in_text.empty()) {
    const std::string main = host.settings.value("config");
    joining.drop_in = (main.starts_with('/') ? main : std::string(k3s::k_usual_config)) + k_drop_in;
  }
  for (const Step step : k_rejoin_steps) {
    const bool left_out = (step == Step::put_token && !takes_token(facts)) ||
                          (step == Step::set_aside && is_empty(facts)) ||
                          (step == Step::name_server && joining.drop_in.empty());
    if (!left_out) {
      plan.steps.push_back(step);
    }
  }
  plan.joining = std::move(joining);
  return plan;
}

/// This host votes in the cluster already, and no other server says something else.
std::string member_already(const RejoinFacts& facts) {
  if (!facts.here || !is_ready(*facts.here) || facts.here->members.size() < 2) {
    return {};
  }
  const EtcdMember* const own = member_named(facts.here->members, facts.member_name);
  const bool elsewhere = std::ranges::any_of(facts.servers, [&](const ServerAnswer& one) {
    return is_ready(one) && !one.members.empty() && !same_members(one.members, facts.here->members);
  });
  if (own == nullptr || own->learner || elsewhere ||
      check_identity(facts.set, *facts.here).verdict == Verdict::refuse) {
    return {};
  }
  const std::uint64_t all = std::max<std::uint64_t>(
      {facts.set.members, facts.set.servers.size(), facts.here->members.size()});
  return std::to_string(voting(facts.here->members)) + " of " + std::to_string(all) + " members";
}

void append(std::vector<Check>& all, std::vector<Check> some) {
  std::move(some.begin(), some.end(), std::back_inserter(all));
}

/// Everything that can be said without a server that answers.
std::vector<Check> check_host_and_set(const RejoinFacts& facts, const RejoinWishes& wishes) {
  Wishes like_restore;
  like_restore.allow_unsigned = wishes.allow_unsigned;
  like_restore.without_host_state = !facts.host.data.token_hash.empty();
  std::vector<Check> checks = check_set_facts(facts.set, like_restore);
  const bool opened = std::ranges::none_of(
      checks, [](const Check& check) { return check.verdict == Verdict::refuse; });
  if (facts.set.datastore != api::DatastoreKind::etcd) {
    checks.push_back(refused("datastore",
                             "the set is of a cluster on " +
                                 std::string(word_of(facts.set.datastore)) +
                                 ", which has one server: nothing can rejoin it",
                             "choose a set of the cluster of several servers"));
  }
  for (Check& check : check_host(facts.host)) {
    if (check.name != "service") {
      checks.push_back(std::move(check));
    }
  }
  checks.push_back(check_stopped(facts));
  checks.push_back(check_not_restored(facts));
  if (opened) { // else there is nothing yet to compare the host with
    checks.push_back(check_token(facts));
    checks.push_back(check_space(facts.host, facts.set));
  }
  return checks;
}

} // namespace

std::vector<ServerAnswer>
servers_to_ask(const ObservedHost& host, const SetFacts& set, const RejoinWishes& wishes) {
  std::vector<ServerAnswer> servers;
  const auto add = [&](const std::string& name, const std::string& url) {
    if (std::ranges::find(servers, url, &ServerAnswer::api_url) == servers.end()) {
      ServerAnswer one;
      one.node_name = name;
      one.api_url = url;
      servers.push_back(std::move(one));
    }
  };
  if (!wishes.server.empty()) {
    add({}, wishes.server);
  }
  const std::string own_port = host.settings.value("https-listen-port");
  const auto add_other = [&](const std::string& name, const std::string& address) {
    if (!address.empty() && !is_on_every_host(address) && !host.network.has_address(address)) {
      add(name, url_of(address, own_port.empty() ? k_api_port : own_port));
    }
  };
  for (const api::ServerEntry& server : set.servers) {
    add_other(server.node_name, canonical_address(server.address));
  }
  // With a VPN of k3s's own the Node has the address there, and etcd, like the certificates, that
  // of the host.
  for (const datastore::Member& peer : set.peers) {
    add_other(k3s::node_of_member(peer.name), address_in(peer.peer_url));
  }
  // Last: a name or an address of a load balancer may lead to any of them.
  const std::string of_unit = url_of_unit(host.settings);
  const std::string own = address_in(of_unit);
  if (!of_unit.empty() && !is_on_every_host(own) && !host.network.has_address(own)) {
    add({}, of_unit);
  }
  return servers;
}

Choice choose_server(const RejoinFacts& facts, const RejoinWishes& wishes) {
  std::vector<const ServerAnswer*> answering;
  for (const ServerAnswer& one : facts.servers) {
    if (is_ready(one)) {
      answering.push_back(&one);
    }
  }
  if (answering.empty()) {
    return nobody(facts);
  }
  if (auto check = apart(answering)) {
    return {nullptr, std::move(*check)};
  }
  const auto wished = std::ranges::find_if(facts.servers, [&](const ServerAnswer& one) {
    return !wishes.server.empty() && one.api_url == wishes.server;
  });
  if (wished != facts.servers.end() && !is_ready(*wished)) {
    return none(wished->text() + " does not answer: " + wished->problem,
                answering.front()->text() + " does",
                ExitCode::unreachable);
  }
  const ServerAnswer* const server = wished == facts.servers.end() ? answering.front() : &*wished;
  return {server, passed("server", server->text() + " answers")};
}

std::string
drop_in_text(const ServerSettings& settings, const std::string& url, const std::string& data_dir) {
  std::string lines;
  if (settings.value("server") != url) {
    lines += "server: " + url + "\n";
  }
  if (settings.is_on("cluster-init")) {
    lines += "cluster-init: false\n";
  }
  if (!settings.has("token") && !settings.has("token-file")) {
    lines += "token-file: " + data_dir + "/server/token\n";
  }
  return lines.empty() ? lines
                       : "# Written by `railiance-restore rejoin`: this server joins the one that "
                         "was restored.\n" +
                             lines;
}

RejoinDecision decide_rejoin(const RejoinFacts& facts, const RejoinWishes& wishes) {
  RejoinDecision result;
  result.decision.plan.run_id = facts.set.run_id;
  std::vector<Check>& checks = result.decision.checks;
  result.member = member_already(facts);
  if (!result.member.empty()) {
    checks.push_back(passed("members", "this host is a voting member already: " + result.member));
    return result;
  }
  checks = check_host_and_set(facts, wishes);
  Choice choice = choose_server(facts, wishes);
  checks.push_back(choice.check);
  if (choice.server == nullptr) {
    return result;
  }
  const ServerAnswer& server = *choice.server;
  checks.push_back(check_identity(facts.set, server));
  checks.push_back(check_membership(facts, server));
  checks.push_back(check_release(facts.host, server));
  append(checks, check_joining(facts, server));
  Wishes keep;
  keep.keep_config = true; // it is this host's own configuration that must fit
  append(checks, check_addresses(facts.host, facts.set, keep));
  result.decision.plan = make_plan(facts, server);
  return result;
}

} // namespace rb::cluster

#include "k3s/token.hpp"
#include "k3s/versions.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/rejoin.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr std::size_t k_digits_shown = 12;

std::string in_short(const std::string& digest) {
  return digest.empty() ? std::string("none") : digest.substr(0, k_digits_shown);
}

std::string stop_it(const RejoinFacts& facts) {
  return "`" + facts.stop_command + "`, and repeat";
}

/// How a member is taken out of a cluster that a server of it still serves.
std::string take_out_line(const std::string& member) {
  return "on that server: `k3s kubectl annotate node " + k3s::node_of_member(member) +
         " etcd.k3s.cattle.io/remove=true`, wait until it has gone, and repeat";
}

/// Both are known, and this host's is none of the set's.
bool differs_in_authority(const RejoinFacts& facts) {
  const std::vector<std::string>& here = facts.host.data.cluster_cas;
  return k3s::knows_authority(here) && k3s::knows_authority(facts.set.cluster_cas) &&
         !k3s::is_same_cluster(here, facts.set.cluster_cas);
}

/// A server that answers as another cluster than this host; null: there is none.
const ServerAnswer* other_cluster(const RejoinFacts& facts) {
  const auto found = std::ranges::find_if(facts.servers, [&](const ServerAnswer& one) {
    return one.contact == Contact::ready && !one.members.empty() &&
           !same_members(one.members, facts.here->members);
  });
  return found == facts.servers.end() ? nullptr : &*found;
}

Check running(const RejoinFacts& facts) {
  const auto busy = [](std::string message, std::string hint) {
    return refused("service", std::move(message), std::move(hint), ExitCode::busy);
  };
  const std::string who = facts.host.servers.empty()
                              ? facts.host.manager + " is active"
                              : "k3s runs here (" + pids(facts.host.servers) + ")";
  if (facts.here && facts.here->contact == Contact::ready && !facts.here->members.empty()) {
    const std::string own = who + " as a cluster of its own, with " +
                            std::to_string(facts.here->members.size()) + " in its list of members";
    const ServerAnswer* const other = other_cluster(facts);
    return other == nullptr
               ? busy(own + ": if this is the server that was restored, the others rejoin it, and "
                            "not it them",
                      "run this on the other servers")
               : busy(own + ", and so does " + other->text() +
                          ": two hosts were restored, or this one was not stopped before",
                      "where the other one is to be kept: " + stop_it(facts) +
                          " (after `railiance-restore restore --rollback` where this host was "
                          "restored)");
  }
  return busy(who + " with the database of before: the restored cluster has another ID, so it "
                    "would only repeat \"cluster ID mismatch\" for ever",
              stop_it(facts));
}

} // namespace

Check check_stopped(const RejoinFacts& facts) {
  const ObservedHost& host = facts.host;
  if (!host.processes_problem.empty()) {
    return refused("service",
                   "whether a k3s server runs cannot be seen: " + host.processes_problem,
                   "mount /proc, and run as root",
                   ExitCode::busy);
  }
  if (host.service == k3s::ServiceState::active || !host.servers.empty()) {
    return running(facts);
  }
  if (host.manager.empty()) {
    NoManager none = no_manager(host, "start k3s");
    return refused("service",
                   std::move(none.why),
                   "lay down the unit and the configuration of this host (`restore "
                   "--artifact host-state` unpacks those of a set), or " +
                       none.hint);
  }
  return passed("service", host.manager + " is stopped, no k3s server process is left");
}

Check check_not_restored(const RejoinFacts& facts) {
  if (facts.restored.empty()) {
    return passed("restored", "this host was not itself restored since the set was made");
  }
  return refused("restored",
                 "this host was itself restored, at " + facts.restored +
                     ", after the set was made: the others rejoin it, and not it them",
                 "run this on the other servers; where another one is to be kept, go back here "
                 "first: `railiance-restore restore --rollback`");
}

Check check_identity(const SetFacts& set, const ServerAnswer& server) {
  if (!k3s::is_same_cluster({server.cluster_ca}, set.cluster_cas)) {
    const auto known =
        std::ranges::find_if(set.cluster_cas, [](const auto& one) { return !one.empty(); });
    return refused(
        "identity",
        server.text() + " is of another cluster: its certificate authority is " +
            in_short(server.cluster_ca) + "…, that of the set " +
            in_short(known == set.cluster_cas.end() ? std::string() : *known) + "…",
        "name the server that was restored with --server, or choose a set of its cluster");
  }
  if (!set.cluster_uid.empty() && server.cluster_uid != set.cluster_uid) {
    return refused("identity",
                   server.text() + " is of another cluster: its namespace kube-system is " +
                       (server.cluster_uid.empty() ? "not to be read" : server.cluster_uid) +
                       ", that of the set " + set.cluster_uid,
                   "name the server that was restored with --server");
  }
  return passed("identity", server.text() + " is of the cluster of the set");
}

Check check_membership(const RejoinFacts& facts, const ServerAnswer& server) {
  if (!server.members_problem.empty()) {
    return refused("members",
                   server.text() +
                       " does not say which members its etcd has: " + server.members_problem,
                   "where it is not authorized, its server token is another one than that of this "
                   "set: name the "
                   "set that was restored (`railiance-restore rejoin SET`)",
                   ExitCode::unreachable);
  }
  if (member_named(server.members, facts.member_name) != nullptr) {
    return refused("members",
                   server.text() + " has this host's member " + facts.member_name +
                       ": it was not restored, or this host has rejoined it already",
                   "start k3s here: `" + facts.start_command + "`");
  }
  for (const EtcdMember& member : server.members) {
    if (!facts.node_name.empty() && k3s::node_of_member(member.name) == facts.node_name) {
      return refused("members",
                     server.text() + " has a member of this host's name already (" + member.name +
                         "), and k3s takes no second one",
                     take_out_line(member.name));
    }
  }
  return passed("members",
                server.text() + " has " + std::to_string(voting(server.members)) +
                    (voting(server.members) == 1 ? " voting member" : " voting members"));
}

bool takes_token(const RejoinFacts& facts) {
  const DataDir& data = facts.host.data;
  if (data.token_hash.empty()) {
    return true;
  }
  const bool same_authority = k3s::is_same_cluster(data.cluster_cas, facts.set.cluster_cas);
  return facts.set.host_state &&
         (facts.set.opens_with(data.token_hash) ? differs_in_authority(facts) : same_authority);
}

Check check_token(const RejoinFacts& facts) {
  const std::string& own = facts.host.data.token_hash;
  if (own.empty()) {
    return facts.set.host_state
               ? passed("token", "none on this disk: that of the set is put back")
               : refused("token",
                         facts.host.data_dir +
                             "/server/token: there is none, and the set brings none",
                         "choose a set with host state",
                         ExitCode::incomplete);
  }
  if (facts.set.opens_with(own)) {
    return differs_in_authority(facts)
               ? warned("token",
                        "that of the set; the certificate authority of this host is another one, "
                        "and makes place for that of the restored server")
               : passed("token", "that of the set");
  }
  if (takes_token(facts)) {
    return warned("token",
                  "the server token of this host (" + own +
                      ") was rotated since the set was made: that of the set is put back, as on "
                      "the restored server");
  }
  const std::string server = facts.host.data_dir + "/server";
  return refused(
      "token",
      "the server token of this host (" + own + ") is not that of the set (" +
          (facts.set.bootstrap_hashes.empty() ? std::string("none")
                                              : facts.set.bootstrap_hashes.front()) +
          "): it was rotated, or this host is of another cluster, one that k3s began here when it "
          "was first started perhaps",
      "where nothing of that cluster is needed: `mv " + server + " " + server +
          "-before`, and that of the set is put back");
}

Check check_release(const ObservedHost& host, const ServerAnswer& server) {
  const auto here = k3s::parse_release(host.k3s_version);
  const auto there = k3s::parse_release(server.version);
  const std::string both =
      "k3s here is " + (host.k3s_version.empty() ? "not known" : host.k3s_version) + ", at " +
      server.text() + " " + (server.version.empty() ? "not known" : server.version);
  if (!here || !there) {
    return warned("k3s-version", both, "it must be the same, or one minor release newer");
  }
  const std::string install =
      "install " + server.version + " (INSTALL_K3S_VERSION=" + server.version + ")";
  if (here->major != there->major || here->minor < there->minor) {
    return refused("k3s-version", both + ": an older release cannot join a newer one", install);
  }
  if (here->minor > there->minor + 1) {
    return refused("k3s-version", both + ": more than one minor release apart", install);
  }
  const auto etcd_here = k3s::etcd_of(*here);
  const auto etcd_there = k3s::etcd_of(*there);
  if (etcd_here && etcd_there && *etcd_here < *etcd_there) { // also within a minor release
    return refused("k3s-version",
                   both + ": etcd " + k3s::to_string(*etcd_here) +
                       " of this k3s does not join a cluster of etcd " +
                       k3s::to_string(*etcd_there),
                   install);
  }
  return here->minor == there->minor ? passed("k3s-version", both)
                                     : warned("k3s-version",
                                              both + ": one minor release newer",
                                              "upgrade the other servers soon; where an upgrade "
                                              "is taken back, " +
                                                  install + " here first");
}

std::string url_of_unit(const ServerSettings& settings) {
  const auto named = settings.of("server");
  std::string url = !named.empty() && named.back().origin == k3s::Origin::command_line
                        ? named.back().value
                        : std::string();
  while (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

std::string unit_leads_to(const RejoinFacts& facts, const ServerAnswer& server) {
  std::string url = url_of_unit(facts.host.settings);
  if (url == server.supervisor_url || url == server.api_url) {
    return url;
  }
  const auto found = std::ranges::find(facts.servers, url, &ServerAnswer::api_url);
  const bool leads = found != facts.servers.end() && found->contact == Contact::ready &&
                     !server.members.empty() && same_members(found->members, server.members);
  return leads ? url : std::string();
}

namespace {

/// What it keeps its state in could not become a member of etcd.
void check_state(const RejoinFacts& facts, std::vector<Check>& checks) {
  const ObservedHost& host = facts.host;
  const std::string endpoint = host.settings.value("datastore-endpoint");
  if (!endpoint.empty() && !k3s::is_embedded_etcd(endpoint)) {
    checks.push_back(
        refused("datastore",
                "the configuration has `datastore-endpoint`: this server would not join etcd",
                "remove it"));
  }
  if (host.data.sqlite && !host.data.etcd) {
    checks.push_back(refused(
        "datastore",
        host.data_dir + "/server/db/state.db: this host keeps a cluster of its own in SQLite",
        "where nothing of that cluster is needed: `mv " + host.data_dir + "/server " +
            host.data_dir + "/server-before`, and repeat"));
  }
}

/// It would not be a server that can be seen to be back in etcd.
void check_roles(const RejoinFacts& facts, const ServerAnswer& server, std::vector<Check>& checks) {
  const ObservedHost& host = facts.host;
  const std::string see = "see that `server:` names " + server.supervisor_url +
                          " and that the token is that of the set, ";
  if (host.settings.is_on("disable-etcd")) {
    checks.push_back(
        refused("roles",
                "the configuration has `disable-etcd`: this server has no etcd that could rejoin",
                see + "and start k3s: `" + facts.start_command + "`"));
  }
  if (host.settings.is_on("disable-apiserver")) {
    checks.push_back(refused(
        "roles",
        "the configuration has `disable-apiserver`: whether this host is back in etcd could "
        "not be seen",
        see + "move " + host.data_dir + "/server/db/etcd and " + host.data_dir +
            "/server/cred aside, and start k3s: `" + facts.start_command +
            "`; `k3s kubectl get nodes -l node-role.kubernetes.io/etcd` on " + server.text() +
            " shows it as Ready"));
  }
}

Check lost_node_password(const RejoinFacts& facts, const ServerAnswer& server) {
  return warned("node-password",
                "/etc/rancher/node/password is gone with the disk: the restored cluster remembers "
                "another one of this node, and k3s says `Node password rejected`",
                "on " + server.text() + ": `k3s kubectl -n kube-system delete secret " +
                    facts.node_name + ".node-password.k3s`");
}

} // namespace

std::vector<Check> check_joining(const RejoinFacts& facts, const ServerAnswer& server) {
  const ServerSettings& settings = facts.host.settings;
  std::vector<Check> checks;
  if (!facts.host.settings_problem.empty()) {
    checks.push_back(refused("configuration",
                             facts.host.settings_problem,
                             "repair the file: k3s would not start with it"));
  }
  checks.push_back(check_data_dir(facts.host, facts.set, false));
  add_found(checks, check_quota(facts.set, settings));
  add_found(checks, check_kernel(facts.host, settings));
  check_state(facts, checks);
  check_roles(facts, server, checks);
  if (const std::string of_unit = url_of_unit(settings);
      !of_unit.empty() && unit_leads_to(facts, server).empty()) {
    checks.push_back(refused(
        "server-url",
        settings.of("server").back().place + ": the unit says --server " + of_unit +
            ", which does not lead to that server, and which no configuration file can change",
        "write --server " + server.supervisor_url + " there, and repeat"));
  }
  if (facts.set.host_state) {
    checks.push_back(check_shared_settings(settings, facts.set.settings));
  }
  checks.push_back(check_configured_tokens(facts.host.tokens, facts.set));
  if (!facts.node_password && !settings.is_on("disable-agent") &&
      facts.host.data.token_hash.empty()) {
    checks.push_back(lost_node_password(facts, server));
  }
  return checks;
}

} // namespace rb::cluster

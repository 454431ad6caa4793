#include "k3s/token.hpp"
#include "k3s/versions.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/database.hpp"
#include "restore/cluster/servers.hpp"

#include <algorithm>
#include <utility>

namespace rb::cluster {

namespace {

Check busy(std::string message, std::string hint) {
  return refused("service", std::move(message), std::move(hint), ExitCode::busy);
}

/// It may be a service of another supervisor, beside a unit or a script that nobody uses.
Check not_of_manager(const ObservedHost& host) {
  const Supervisor& other = host.supervisor;
  const bool known = !other.service.empty() && !host.own_commands;
  return busy("a k3s server runs (" + pids(host.servers) + ") that is not that of " + host.manager +
                  (known ? ", but of " + other.name + " (" + other.service + ")" : std::string()),
              (known ? "give " + options_for(other) + ": else " : std::string("stop it first: ")) +
                  "two servers on one data directory destroy it");
}

Check service(const ObservedHost& host) {
  const bool running = !host.servers.empty();
  if (!host.processes_problem.empty()) {
    return busy("whether a k3s server runs cannot be seen: " + host.processes_problem,
                "mount /proc, and run as root");
  }
  if (host.manager.empty()) {
    NoManager none = no_manager(host, running ? "stop it" : "start k3s");
    return running ? busy("a k3s server runs (" + pids(host.servers) + ") and " + none.why,
                          std::move(none.hint))
                   : refused("service", std::move(none.why), std::move(none.hint));
  }
  if (host.service == k3s::ServiceState::active) {
    return passed("service", host.manager + " is active: it will be stopped");
  }
  if (running) {
    return not_of_manager(host);
  }
  if (host.service == k3s::ServiceState::unknown) {
    return warned("service",
                  host.manager + " does not say whether k3s runs; no k3s server process is there");
  }
  return passed("service", host.manager + " is stopped, no k3s server process is left");
}

/// A server is an agent, too: kubelet, containerd and the load balancer of both want the same
/// ports, and one of them would be back at the next boot.
Check agents(const ObservedHost& host) {
  return busy("a k3s agent runs here (" + pids(host.agents) +
                  "): beside it the server could not start",
              "a host that becomes a server is no longer an agent: `systemctl disable --now "
              "k3s-agent` (OpenRC: `rc-service k3s-agent stop`, `rc-update del k3s-agent`)");
}

/// A step would have to rename it, or what it is in.
Check mounted(const ObservedHost& host) {
  const std::string server = host.data_dir + "/server";
  const std::string& path = host.data.mounts.front();
  const std::string db = server + "/db";
  if (path.starts_with(db + "/")) {
    return refused("data-directory",
                   path + ": is a mount point, and cannot be moved aside with the database",
                   "stop k3s, and mount the disk at " + db + " instead, with all that lies there");
  }
  const std::string directory = path.substr(0, path.find('/', server.size() + 1));
  return refused("data-directory",
                 path + ": is a mount point in " + directory + ", which is replaced as a whole",
                 "stop k3s, and put what is mounted there into the directory itself; " + directory +
                     " as a whole may be a mount point");
}

Check program(const ObservedHost& host) {
  if (host.k3s_program.empty()) {
    return refused(
        "k3s",
        "k3s: the program is not found",
        "install k3s without starting it (INSTALL_K3S_SKIP_START=true), or name it with --k3s");
  }
  return passed("k3s", host.k3s_program);
}

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20U;

std::string said_of_ca(const ObservedHost& host, const SetFacts& set) {
  return k3s::knows_authority(host.data.cluster_cas) && k3s::knows_authority(set.cluster_cas)
             ? ", and its certificate authority is another one"
             : "; there is no certificate authority to compare";
}

/// Its CA is this host's, its token is not.
Check set_before_rotation(const SetFacts& set) {
  if (!set.host_state) {
    return refused(
        "cluster",
        "the set is of the cluster of this host, but the server token was rotated since, and "
        "the set does not bring the older one",
        "choose a set with host state",
        ExitCode::incomplete);
  }
  return warned(
      "cluster",
      "the set is of the cluster of this host, from before its server token was rotated: token "
      "and configuration of the set are put back, those of now are copied aside",
      "agents that joined with the newer token need the older one again");
}

Check cluster(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  if (host.data.token_hash.empty()) {
    if (!set.host_state) {
      return refused("cluster",
                     host.data_dir + "/server/token: there is none, and the set brings none",
                     "choose a set with host state",
                     ExitCode::incomplete);
    }
    return passed("cluster", "bare host: token, configuration, unit and manifests are put back");
  }
  if (set.opens_with(host.data.token_hash)) {
    return passed("cluster", "the set is of the cluster of this host");
  }
  if (k3s::is_same_cluster(host.data.cluster_cas, set.cluster_cas)) {
    return set_before_rotation(set);
  }
  if (wishes.replace_cluster && set.host_state) {
    return warned("cluster",
                  "this host has another cluster, which is replaced; its files are copied aside");
  }
  return refused("cluster",
                 "this host has another cluster: its server token does not open the snapshot" +
                     said_of_ca(host, set),
                 "--replace-cluster puts the set's cluster in its place");
}

Check version(const ObservedHost& host, const SetFacts& set) {
  if (host.k3s_version.empty()) {
    return refused("k3s-version", "k3s did not say its version", "see `k3s --version`");
  }
  k3s::FitVerdict verdict =
      k3s::judge_restore({set.datastore, set.k3s_version, set.storage_version}, host.k3s_version);
  switch (verdict.fit) {
  case k3s::Fit::good:
    break;
  case k3s::Fit::doubtful:
    return warned("k3s-version", std::move(verdict.message), std::move(verdict.hint));
  case k3s::Fit::refused:
    return refused("k3s-version", std::move(verdict.message), std::move(verdict.hint));
  }
  return passed("k3s-version", std::move(verdict.message));
}

/// `more`: what k3s's defragmentation of etcd takes besides, with each start, where nothing of the
/// snapshot is free pages. Without that room neither reset nor start comes to an end.
Check check_room(const std::string& path,
                 std::uint64_t free_bytes,
                 std::uint64_t needed,
                 std::uint64_t more = 0) {
  const std::string numbers = path + ": " + std::to_string(free_bytes / k_mib) + " MiB free, " +
                              std::to_string(needed / k_mib) + " MiB needed";
  if (free_bytes < needed) {
    return refused("disk-space", numbers, "make room on that disk");
  }
  return free_bytes < needed + more
             ? warned(
                   "disk-space",
                   numbers + ", and up to " + std::to_string(more / k_mib) +
                       " MiB more for etcd's defragmentation, without which no server gets ready",
                   "make room on that disk, if you can")
             : passed("disk-space", numbers);
}

/// " (server-1 192.0.2.11, server-2 192.0.2.12)"
std::string names_of(const std::vector<api::ServerEntry>& servers) {
  std::string text;
  for (const api::ServerEntry& server : servers) {
    text += (text.empty() ? " (" : ", ") + server.node_name +
            (server.address.empty() ? "" : " " + server.address);
  }
  return text.empty() ? text : text + ")";
}

/// By the etcd on its disk; none where that is of another cluster than the set.
std::vector<api::ServerEntry> servers_by_now(const ObservedHost& host, const SetFacts& set) {
  const bool same = set.opens_with(host.data.token_hash) ||
                    k3s::is_same_cluster(host.data.cluster_cas, set.cluster_cas);
  std::vector<api::ServerEntry> servers;
  add_members(same ? host.data.members : std::vector<datastore::Member>(), servers);
  return servers;
}

Check availability(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  const std::vector<api::ServerEntry> now = servers_by_now(host, set);
  const bool grown = now.size() > std::max<std::uint64_t>(set.members, 1);
  if (set.members <= 1 && !grown) {
    return passed("servers", "the cluster had one server");
  }
  const std::string message =
      grown ? "the cluster of this host has " + std::to_string(now.size()) + " servers by now" +
                  names_of(now) + ", and had " + std::to_string(set.members) +
                  " when the set was made"
            : "the cluster had " + std::to_string(set.members) + " servers" + names_of(set.servers);
  const std::string afterwards = "run `railiance-restore rejoin` on each other one";
  if (!wishes.single_server) {
    return refused(
        "servers",
        message + ": restoring one while others run would split the cluster",
        "stop k3s on all of them (`systemctl stop k3s`), then `railiance-restore restore " +
            set.run_id + " --execute --single-server` here; afterwards " + afterwards);
  }
  return warned("servers",
                message + "; this one becomes the only one",
                "afterwards " + afterwards + ": the restore ends with the lines for them");
}

} // namespace

std::string pids(const std::vector<k3s::ServerProcess>& servers) {
  std::string text;
  for (const k3s::ServerProcess& server : servers) {
    text += (text.empty() ? "process " : ", ") + std::to_string(server.pid);
  }
  return text;
}

NoManager no_manager(const ObservedHost& host, std::string_view act) {
  constexpr const char* k_give = "give --stop-command, --start-command and --status-command";
  const std::string none = "no service manager is found that could " + std::string(act);
  const Supervisor& supervisor = host.supervisor;
  if (!supervisor.name.empty()) {
    const std::string where =
        supervisor.service.empty() ? std::string() : " (" + supervisor.service + ")";
    return {none + ": services are started by " + supervisor.name + where +
                " here, which needs commands of yours",
            "give " + options_for(supervisor)};
  }
  if (host.unit_template.empty()) {
    return {none, k_give};
  }
  const std::string unit = host.unit_template + ".service";
  const std::string instance = host.unit_template + "NAME";
  return {none + ": an instance of the template " + unit +
              " does it, and none is enabled that would say which one",
          "enable it where it is known (`systemctl enable " + instance + "`), or " + k_give +
              " (/usr/bin/systemctl stop " + instance + ", … start " + instance + ", … is-active " +
              instance + ")"};
}

Check check_space(const ObservedHost& host, const SetFacts& set) {
  const std::uint64_t copy = set.snapshot_bytes;
  const std::uint64_t database = set.snapshot_bytes + database_of(set.datastore).margin_bytes();
  const std::uint64_t more = set.datastore == api::DatastoreKind::etcd ? set.snapshot_bytes : 0;
  const DataDir& data = host.data;
  if (!data.db_free_bytes) {
    return check_room(host.data_dir, data.free_bytes, copy + database, more);
  }
  Check of_copy = check_room(host.data_dir, data.free_bytes, copy);
  if (of_copy.verdict == Verdict::refuse) {
    return of_copy;
  }
  Check of_database = check_room(host.data_dir + "/server/db", *data.db_free_bytes, database, more);
  of_database.message = of_copy.message + "; " + of_database.message;
  return of_database;
}

std::vector<Check> check_host(const ObservedHost& host) {
  const bool root = host.user_id == 0;
  std::vector<Check> checks;
  checks.push_back(root ? passed("root", "runs as root")
                        : refused("root", "only root can restore", "use sudo"));
  checks.push_back(program(host));
  checks.push_back(service(host));
  if (!host.agents.empty() && !host.settings.is_on("disable-agent")) {
    checks.push_back(agents(host));
  }
  if (!host.data.mounts.empty()) {
    checks.push_back(mounted(host));
  }
  return checks;
}

std::vector<Check> check_fit(const ObservedHost& host, const SetFacts& set, const Wishes& wishes) {
  return {cluster(host, set, wishes),
          version(host, set),
          check_space(host, set),
          availability(host, set, wishes)};
}

} // namespace rb::cluster

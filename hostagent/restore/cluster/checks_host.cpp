#include "restore/cluster/checks.hpp"

namespace rb::cluster {

namespace {

constexpr const char* k_give_commands = "give --stop-command, --start-command and --status-command";

std::string pids(const std::vector<k3s::ServerProcess>& servers) {
  std::string text;
  for (const k3s::ServerProcess& server : servers) {
    text += (text.empty() ? "process " : ", ") + std::to_string(server.pid);
  }
  return text;
}

Check busy(std::string message, std::string hint) {
  return {"service", Verdict::refuse, std::move(message), std::move(hint), ExitCode::busy};
}

Check service(const ObservedHost& host) {
  const bool running = !host.servers.empty();
  if (!host.processes_problem.empty()) {
    return busy("whether a k3s server runs cannot be seen: " + host.processes_problem,
                "mount /proc, and run as root");
  }
  if (host.manager.empty()) {
    return running ? busy("a k3s server runs (" + pids(host.servers) +
                              ") and no service manager is found that could stop it",
                          std::string("stop it, and ") + k_give_commands)
                   : Check{"service",
                           Verdict::refuse,
                           "no service manager is found that could start k3s",
                           k_give_commands};
  }
  if (host.service == k3s::ServiceState::active) {
    return {"service", Verdict::ok, host.manager + " is active: it will be stopped", {}};
  }
  if (running) {
    return busy("a k3s server runs (" + pids(host.servers) + ") that is not that of " +
                    host.manager,
                "stop it first: two servers on one data directory destroy it");
  }
  if (host.service == k3s::ServiceState::unknown) {
    return {"service",
            Verdict::warn,
            host.manager + " does not say whether k3s runs; no k3s server process is there",
            {}};
  }
  return {"service", Verdict::ok, host.manager + " is stopped, no k3s server process is left", {}};
}

Check program(const ObservedHost& host) {
  if (host.k3s_program.empty()) {
    return {"k3s",
            Verdict::refuse,
            "k3s: the program is not found",
            "install k3s without starting it (INSTALL_K3S_SKIP_START=true), or name it with --k3s"};
  }
  return {"k3s", Verdict::ok, host.k3s_program, {}};
}

Check data_directory(const ObservedHost& host) {
  const std::string etcd = host.data_dir + "/server/db/etcd";
  if (host.data.etcd_mount) {
    return {"data-directory",
            Verdict::refuse,
            etcd + ": is a mount point, k3s cannot move it aside",
            "mount the disk at " + host.data_dir + "/server/db instead"};
  }
  if (host.data.tombstone) {
    return {"data-directory",
            Verdict::warn,
            etcd + ": this member was removed from its cluster; it starts a new one",
            {}};
  }
  if (host.data.sqlite && !host.data.etcd) {
    return {"data-directory",
            Verdict::warn,
            host.data_dir + "/server/db/state.db: the SQLite data is not used any more afterwards",
            "keep it until the restored cluster is proven"};
  }
  return {"data-directory", Verdict::ok, host.data_dir, {}};
}

} // namespace

std::vector<Check> check_host(const ObservedHost& host) {
  const bool root = host.user_id == 0;
  std::vector<Check> checks;
  checks.push_back(root ? Check{"root", Verdict::ok, "runs as root", {}}
                        : Check{"root", Verdict::refuse, "only root can restore", "use sudo"});
  checks.push_back(program(host));
  checks.push_back(service(host));
  checks.push_back(data_directory(host));
  return checks;
}

} // namespace rb::cluster

#include "restore/cluster/supervisor.hpp"

#include "set/restore_guide.hpp"

#include "base/fd.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>

namespace rb::cluster {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_stat_limit_bytes = 4096;
constexpr int k_most_parents = 16;
constexpr int k_init = 1;

struct Process {
  std::string comm;
  int parent = 0;
};

/// Of /proc/<pid>/stat: "4711 (runsv) S 1 …"; a name may hold anything.
Process look_at(const std::string& proc, int pid) {
  Process process;
  const auto text = read_text_file(proc + "/" + std::to_string(pid) + "/stat", k_stat_limit_bytes);
  const std::size_t begin = text ? text->find('(') : std::string::npos;
  const std::size_t end = text ? text->rfind(')') : std::string::npos;
  if (begin == std::string::npos || end == std::string::npos || end < begin) {
    return process;
  }
  process.comm = text->substr(begin + 1, end - begin - 1);
  constexpr std::size_t k_to_parent = 4; // ") S "
  if (end + k_to_parent < text->size()) {
    std::from_chars(text->data() + end + k_to_parent, text->data() + text->size(), process.parent);
  }
  return process;
}

/// Both work in the directory of the service that they run.
Supervisor above(const std::string& proc, int pid) {
  for (int step = 0; step < k_most_parents && pid > k_init; ++step) {
    const Process process = look_at(proc, pid);
    const bool runit = process.comm == "runsv";
    if (runit || process.comm == "s6-supervise") {
      std::error_code error;
      const fs::path work = fs::read_symlink(proc + "/" + std::to_string(pid) + "/cwd", error);
      return {runit ? "runit" : "s6", error ? std::string() : work.string()};
    }
    pid = process.parent;
  }
  return {};
}

std::string path_of(const std::string& program) {
  for (const char* const directory :
       {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/", "/command/"}) {
    if (::access((directory + program).c_str(), X_OK) == 0) {
      return directory + program;
    }
  }
  return "/usr/bin/" + program;
}

} // namespace

Supervisor find_supervisor(const std::vector<k3s::ServerProcess>& servers,
                           const std::string& proc) {
  for (const k3s::ServerProcess& server : servers) {
    if (Supervisor found = above(proc, server.pid); !found.name.empty()) {
      return found;
    }
  }
  const std::string init = look_at(proc, k_init).comm;
  return {init == "runit" ? "runit" : init == "s6-svscan" ? "s6" : "", {}};
}

k3s::ServiceCommands commands_for(const Supervisor& supervisor) {
  k3s::ServiceCommands commands;
  if (supervisor.name == "runit") {
    const std::string sv = path_of("sv");
    const std::string service =
        supervisor.service.empty() ? "/var/service/k3s" : supervisor.service;
    commands.stop = sv + " -w 150 stop " + service;
    commands.start = sv + " up " + service;
    // `sv status` ends with 0 also where the service is down.
    commands.status = path_of("pgrep") + " -x k3s|k3s-server";
  } else if (supervisor.name == "s6") {
    const std::string service =
        supervisor.service.empty() ? "/run/service/k3s" : supervisor.service;
    commands.stop = path_of("s6-svc") + " -wd -T 150000 -d " + service;
    commands.start = path_of("s6-svc") + " -u " + service;
    commands.status = path_of("s6-svwait") + " -u -t 100 " + service;
  }
  return commands;
}

std::string options_for(const Supervisor& supervisor) {
  const k3s::ServiceCommands commands = commands_for(supervisor);
  return "--stop-command " + set::shell_word(commands.stop) + " --start-command " +
         set::shell_word(commands.start) + " --status-command " + set::shell_word(commands.status);
}

} // namespace rb::cluster

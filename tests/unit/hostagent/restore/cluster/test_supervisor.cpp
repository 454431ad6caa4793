// Supervisors that are not driven by us: which one it is, and what the operator is told to give.
#include "facts.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/supervisor.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::cluster;
using test::check_refused;
using test::find_check;
using test::good_host;
using test::good_set;

TEST_CASE("who supervises a server is read off the processes above it, else off process 1") {
  const test::Scratch proc;
  const auto add = [&](int pid, const std::string& comm, int parent) {
    proc.write(std::to_string(pid) + "/stat",
               std::to_string(pid) + " (" + comm + ") S " + std::to_string(parent) + " 1 1 0\n");
  };
  add(1, "runit", 0);
  add(50, "runsvdir", 1);
  add(60, "runsv", 50);
  add(70, "a) b (c", 60); // a shell of some name
  add(80, "k3s-server", 70);
  std::filesystem::create_symlink("/etc/sv/k3s", proc.path("60/cwd"));
  Supervisor found = find_supervisor({{80, "k3s server"}}, proc.path());
  CHECK(found.name == "runit");
  CHECK(found.service == "/etc/sv/k3s");
  found = find_supervisor({}, proc.path());
  CHECK(found.name == "runit");
  CHECK(found.service.empty());
  add(1, "systemd", 0);
  add(60, "s6-supervise", 50);
  CHECK(find_supervisor({{80, "k3s server"}}, proc.path()).name == "s6");
  add(60, "systemd", 1);
  CHECK(find_supervisor({{80, "k3s server"}}, proc.path()).name.empty());
  CHECK(find_supervisor({{81, "gone"}}, proc.path() + "/nowhere").name.empty());
}

TEST_CASE("under runit and s6 the refusal has the commands to give") {
  ObservedHost host = good_host();
  host.manager.clear();
  host.service = k3s::ServiceState::unknown;
  host.supervisor = {"runit", "/etc/sv/k3s"};
  Decision decision = decide(host, good_set(), {});
  check_refused(decision, "service", ExitCode::busy);
  const Check* check = find_check(decision, "service");
  CHECK(check->message.find("started by runit (/etc/sv/k3s)") != std::string::npos);
  CHECK(check->hint.find("sv -w 150 stop /etc/sv/k3s' --start-command '") != std::string::npos);
  CHECK(check->hint.find("pgrep -x k3s|k3s-server'") != std::string::npos); // not `sv status`
  CHECK(k3s::check_commands(commands_for(host.supervisor)));
  host.servers.clear();
  host.supervisor = {"s6", {}};
  decision = decide(host, good_set(), {});
  check_refused(decision, "service");
  check = find_check(decision, "service");
  CHECK(check->message.find("no service manager is found that could start k3s") == 0);
  CHECK(check->hint.find("s6-svwait -u -t 100 /run/service/k3s'") != std::string::npos);
  CHECK(k3s::check_commands(commands_for(host.supervisor)));
}

TEST_CASE("a server of s6 beside a script of OpenRC that nobody uses is told from it") {
  ObservedHost host = good_host();
  host.manager = "OpenRC service k3s";
  host.service = k3s::ServiceState::inactive;
  host.supervisor = {"s6", "/run/service/k3s"};
  const Decision decision = decide(host, good_set(), {});
  check_refused(decision, "service", ExitCode::busy);
  const Check* const check = find_check(decision, "service");
  CHECK(check->message.ends_with("not that of OpenRC service k3s, but of s6 (/run/service/k3s)"));
  CHECK(check->hint.find("s6-svc -wd -T 150000 -d /run/service/k3s'") != std::string::npos);
}

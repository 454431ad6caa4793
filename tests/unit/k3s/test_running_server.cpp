#include "k3s/running_server.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::k3s;
using namespace std::string_literals;

namespace {

class Recorder final : public ProcessRunner {
public:
  [[nodiscard]] Result<ProcessResult> run(const ProcessSpec& spec, std::stop_token) override {
    std::string line = spec.program;
    for (const std::string& argument : spec.arguments) {
      line += " " + argument;
    }
    lines.push_back(line);
    return answer;
  }

  std::vector<std::string> lines;
  ProcessResult answer;
};

ProcessResult said(int status, std::string out) {
  ProcessResult result;
  result.exit_status = status;
  result.out = std::move(out);
  return result;
}

const std::string k_data = "/var/lib/rancher/k3s";
const std::string k_program = "/var/lib/rancher/k3s/data/0a1b/bin/k3s";

bool by_words(const std::string& command_line) {
  return is_server({command_line, "", "", ""}, k_data);
}

} // namespace

TEST_CASE("systemd: a changed unit is taken in, and the start is not waited for") {
  Recorder recorder;
  recorder.answer = said(0, "");
  const auto manager = make_systemd(recorder, "/usr/bin/systemctl", "k3s");
  CHECK(manager->name() == "systemd unit k3s");
  CHECK(manager->start());
  CHECK(recorder.lines == std::vector<std::string>{"/usr/bin/systemctl daemon-reload",
                                                   "/usr/bin/systemctl reset-failed k3s",
                                                   "/usr/bin/systemctl enable k3s",
                                                   "/usr/bin/systemctl start --no-block k3s"});
  CHECK(manager->stop());
  CHECK(recorder.lines.back() == "/usr/bin/systemctl stop k3s");
}

TEST_CASE("systemd's words: a server that is being restarted is not stopped") {
  Recorder recorder;
  const auto manager = make_systemd(recorder, "/usr/bin/systemctl", "k3s");
  const std::vector<std::pair<const char*, ServiceState>> words{
      {"active\n", ServiceState::active},
      {"activating\n", ServiceState::active},
      {"deactivating\n", ServiceState::active},
      {"inactive\n", ServiceState::inactive},
      {"failed\n", ServiceState::inactive},
      {"", ServiceState::unknown}, // no systemd runs here
  };
  for (const auto& [word, state] : words) {
    recorder.answer = said(3, word);
    CHECK(manager->state() == state);
  }
}

TEST_CASE("OpenRC and commands go by exit status") {
  Recorder recorder;
  const auto openrc = make_openrc(recorder, "/sbin/rc-service", "k3s", "/var/log/k3s.log");
  recorder.answer = said(3, "");
  CHECK(openrc->state() == ServiceState::inactive);
  CHECK(openrc->stop().error().message == "/sbin/rc-service: exit status 3"); // it said nothing
  recorder.answer = said(0, "");
  CHECK(openrc->state() == ServiceState::active);
  CHECK(openrc->start());
  CHECK(recorder.lines.back() == "/sbin/rc-service k3s start");
}

TEST_CASE("OpenRC: one that is being started runs, one that has crashed does not, and can start") {
  Recorder recorder;
  const auto openrc = make_openrc(recorder, "/sbin/rc-service", "k3s", "/var/log/k3s.log");
  const std::vector<std::pair<int, ServiceState>> statuses{{4, ServiceState::active},
                                                           {8, ServiceState::active},
                                                           {16, ServiceState::inactive},
                                                           {32, ServiceState::inactive}};
  for (const auto& [status, state] : statuses) {
    CAPTURE(status);
    recorder.answer = said(status, "");
    CHECK(openrc->state() == state);
  }
  recorder.lines.clear();
  recorder.answer = said(0, "");
  CHECK(openrc->start());
  CHECK(recorder.lines == std::vector<std::string>{"/sbin/rc-service --ifcrashed k3s zap",
                                                   "/sbin/rc-service k3s start"});
}

TEST_CASE("commands of the operator's: split at blanks, no shell, all three, absolute") {
  Recorder recorder;
  recorder.answer = said(0, "");
  auto manager =
      make_commands(recorder, {"/bin/a  start $(x)", "/bin/a stop", "/bin/a status", ""});
  CHECK(manager->start());
  CHECK(recorder.lines.back() == "/bin/a start $(x)");
  for (const ServiceCommands& wrong : {ServiceCommands{"", "/bin/a", "/bin/a", ""},
                                       ServiceCommands{"/bin/a", "a stop", "/bin/a", ""},
                                       ServiceCommands{"/bin/a", "/bin/a", " ", ""}}) {
    CHECK(check_commands(wrong).error().code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("k3s's last words come from the journal, a file, or a command of the operator's") {
  Recorder recorder;
  recorder.answer = said(0,
                         "level=fatal msg=\"of before\"\nlevel=info msg=\"Starting k3s v1\"\n"
                         "level=fatal msg=\"starting kubernetes: bind: cannot assign\"\n");
  CHECK(make_systemd(recorder, "/usr/bin/systemctl", "k3s")->last_words() ==
        "starting kubernetes: bind: cannot assign");
  CHECK(recorder.lines.back() ==
        "/usr/bin/journalctl --no-pager --output=cat --lines 2000 --unit k3s");
  CHECK_FALSE(make_systemd(recorder, "/usr/bin/systemctl", "k3s", "/data/k3s.log") // `log:`
                  ->last_words()
                  .empty());
  CHECK(recorder.lines.back() == "/usr/bin/tail -n 2000 /data/k3s.log");
  CHECK_FALSE(
      make_openrc(recorder, "/sbin/rc-service", "k3s", "/var/log/k3s.log")->last_words().empty());
  CHECK(recorder.lines.back() == "/usr/bin/tail -n 2000 /var/log/k3s.log");
  ServiceCommands given{"/bin/a", "/bin/a", "/bin/a", "/bin/log of k3s"};
  CHECK_FALSE(make_commands(recorder, given)->last_words().empty());
  CHECK(recorder.lines.back() == "/bin/log of k3s");
  given.log.clear();
  CHECK(make_commands(recorder, given)->last_words().empty());
  CHECK(check_commands(given));
  given.log = "log of k3s";
  CHECK(check_commands(given).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("a k3s server is known by its command line") {
  CHECK(by_words("/usr/local/bin/k3s\0server\0"s));
  CHECK(by_words("/usr/local/bin/k3s server")); // the title that k3s gives itself
  CHECK(by_words("/var/lib/rancher/k3s/data/x/bin/k3s-server\0"s));
  CHECK(by_words("k3s\0server\0--data-dir\0/var/lib/rancher/k3s/\0"s));
  CHECK_FALSE(by_words("k3s\0server\0--data-dir=/tmp/scratch\0"s)); // a drill beside it
  CHECK_FALSE(by_words("k3s\0agent\0"s));
  CHECK_FALSE(by_words("k3s\0etcd-snapshot\0save\0"s));
  CHECK_FALSE(by_words("vim\0k3s server\0"s));
  CHECK_FALSE(by_words(""));
}

TEST_CASE("a k3s server is known while its title is rewritten") {
  const std::string zeroes(26, '\0');
  CHECK(is_server({zeroes, "k3s-server", k_program, ""}, k_data));
  CHECK(is_server({"", "k3s-server", "", ""}, k_data));
  CHECK(is_server({"/usr/local/bin/k3s" + zeroes, "k3s-server", k_program, ""}, k_data));
  CHECK(
      is_server({zeroes, "k3s", "/usr/local/bin/k3s", ""}, k_data)); // not yet k3s's second program
  CHECK_FALSE(is_server({zeroes, "k3s-agent", k_program, ""}, k_data));
  CHECK_FALSE(is_server({zeroes, "containerd", "/usr/bin/containerd", ""}, k_data));
  CHECK_FALSE(is_server({"etcd\0--config-file=x\0"s, "exe", "/usr/local/bin/k3s", ""}, k_data));
}

TEST_CASE("a server whose flags are hidden is told by where it works") {
  const std::string title = "/usr/local/bin/k3s server";
  CHECK(is_server({title, "k3s-server", k_program, k_data}, k_data));
  CHECK(is_server({title, "k3s-server", k_program, ""}, k_data)); // in doubt it is ours
  CHECK_FALSE(is_server({title, "k3s-server", k_program, "/tmp/scratch"}, k_data));
}

TEST_CASE("processes are found in /proc") {
  const test::Scratch proc;
  proc.write("4711/cmdline", "/usr/local/bin/k3s\0server\0"s);
  proc.write("12/cmdline", "bash\0"s);
  proc.write("self/cmdline", "k3s\0server\0"s); // not a number
  ProcServerProcesses processes(proc.path());
  const auto found = processes.find("/var/lib/rancher/k3s");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().pid == 4711);
}

TEST_CASE("agents are found, too, and none for a server") {
  const test::Scratch proc;
  proc.write("11/cmdline", "/usr/local/bin/k3s\0agent\0--data-dir=/other\0"s);
  proc.write("12/cmdline", "/usr/local/bin/k3s agent"s + std::string(20, '\0'));
  proc.write("13/cmdline", std::string(26, '\0'));
  proc.write("13/comm", "k3s-agent\n");
  proc.write("14/cmdline", "/usr/local/bin/k3s\0server\0"s);
  proc.write("14/comm", "k3s-server\n");
  proc.write("16/cmdline", "/usr/local/bin/k3s agent\0"s); // as some releases call a server
  proc.write("16/comm", "k3s-server\n");
  proc.write("15/cmdline", "/usr/local/bin/k3s\0kubectl\0logs\0agent\0"s);
  ProcServerProcesses processes(proc.path());
  const auto agents = processes.find_agents();
  REQUIRE(agents);
  CHECK(agents->size() == 3);
  const auto servers = processes.find("/var/lib/rancher/k3s");
  REQUIRE(servers);
  CHECK(servers->size() == 2);
}

TEST_CASE("what a title hides is read from the rest of /proc") {
  const test::Scratch proc;
  proc.write("4711/cmdline", std::string(26, '\0'));
  proc.write("4711/comm", "k3s-server\n");
  proc.write("4712/cmdline", "/usr/local/bin/k3s server\0"s); // of a drill
  proc.write("4712/comm", "k3s-server\n");
  std::filesystem::create_directories(proc.path("scratch/server/db"));
  std::filesystem::create_symlink(proc.path("scratch/server"), proc.path("4712/cwd"));
  std::filesystem::create_symlink("/usr/local/bin/k3s (deleted)", proc.path("4711/exe"));
  ProcServerProcesses processes(proc.path());
  const auto found = processes.find("/var/lib/rancher/k3s");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().pid == 4711);
  CHECK(found->front().command == "/usr/local/bin/k3s");
  const auto of_the_drill = processes.find(proc.path("scratch"));
  REQUIRE(of_the_drill);
  CHECK(of_the_drill->size() == 2);
}

TEST_CASE(
    "what another user calls a k3s server, and one that he runs without root, is none of ours") {
  const test::Scratch proc;
  const auto put = [&](const std::string& pid, const std::string& uids) {
    proc.write(pid + "/cmdline", "k3s\0server\0--rootless\0"s);
    proc.write(pid + "/comm", "k3s-server\n");
    proc.write(pid + "/status",
               "Name:\tUid:\nUmask:\t0022\nUid:\t" + uids + "\nGid:\t0\t0\t0\t0\n");
  };
  put("4711", "0\t0\t0\t0");
  put("4712", "4294967294\t4294967294\t4294967294\t4294967294");
  put("4713", "4294967294\t0\t0\t0"); // as su while it asks for a password
  put("4714", "0\t0\t0\t0");          // as sudo: under whatever name its caller gives it
  proc.write("sudo", "");
  std::filesystem::permissions(proc.path("sudo"), std::filesystem::perms(04755));
  std::filesystem::create_symlink(proc.path("sudo"), proc.path("4714/exe"));
  ProcServerProcesses processes(proc.path());
  const auto found = processes.find("/var/lib/rancher/k3s");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().pid == 4711);
  proc.write("4715/cmdline", "k3s\0agent\0"s);
  proc.write("4715/status", "Name:\tk3s\nUid:\t4294967294\t0\t0\t0\n");
  CHECK(processes.find_agents()->empty());
}

TEST_CASE("a server that has ended and waits for its parent is none") {
  const test::Scratch proc;
  proc.write("4711/cmdline", "");
  proc.write("4711/comm", "k3s-server\n");
  proc.write("4711/stat", "4711 (k3s-server) Z 1 4711 4711 0 -1\n");
  proc.write("4712/cmdline", "/usr/local/bin/k3s server\0"s);
  proc.write("4712/stat", "4712 (a) Z b) S 1 4712 4712 0 -1\n");
  ProcServerProcesses processes(proc.path());
  const auto found = processes.find("/var/lib/rancher/k3s");
  REQUIRE(found);
  REQUIRE(found->size() == 1);
  CHECK(found->front().pid == 4712);
}

TEST_CASE("a data directory that is a link to another disk is the one that its server works in") {
  const test::Scratch proc;
  std::filesystem::create_directories(proc.path("disk/k3s/server/db"));
  std::filesystem::create_directory_symlink(proc.path("disk/k3s"), proc.path("k3s"));
  proc.write("4711/cmdline", "/usr/local/bin/k3s server\0"s);
  proc.write("4711/comm", "k3s-server\n");
  std::filesystem::create_directory_symlink(proc.path("disk/k3s/server"), proc.path("4711/cwd"));
  proc.write("4712/cmdline", "k3s\0server\0--data-dir\0"s + proc.path("k3s") + "\0"s);
  ProcServerProcesses processes(proc.path());
  for (const char* const path : {"k3s", "k3s/", "disk/k3s"}) {
    CAPTURE(path);
    const auto found = processes.find(proc.path(path));
    REQUIRE(found);
    CHECK(found->size() == 2);
  }
  const auto elsewhere = processes.find(proc.path("disk"));
  REQUIRE(elsewhere);
  CHECK(elsewhere->empty());
}

TEST_CASE("a /proc that cannot be read is an error, not an empty host") {
  const test::Scratch scratch;
  ProcServerProcesses processes(scratch.path("none"));
  CHECK_FALSE(processes.find("/var/lib/rancher/k3s"));
}

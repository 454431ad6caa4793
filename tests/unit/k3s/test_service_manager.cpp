#include "k3s/service_manager.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::k3s;

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
  CHECK_FALSE(openrc->stop());
  recorder.answer = said(0, "");
  CHECK(openrc->state() == ServiceState::active);
  CHECK(openrc->start());
  CHECK(recorder.lines.back() == "/sbin/rc-service k3s start");
}

TEST_CASE("commands of the operator's: split at blanks, no shell, all three, absolute") {
  Recorder recorder;
  recorder.answer = said(0, "");
  auto manager =
      make_commands(recorder, {"/bin/a  start $(x)", "/bin/a stop", "/bin/a status", ""});
  REQUIRE(manager);
  CHECK((*manager)->start());
  CHECK(recorder.lines.back() == "/bin/a start $(x)");
  for (const ServiceCommands& wrong : {ServiceCommands{"", "/bin/a", "/bin/a", ""},
                                       ServiceCommands{"/bin/a", "a stop", "/bin/a", ""},
                                       ServiceCommands{"/bin/a", "/bin/a", " ", ""}}) {
    CHECK(make_commands(recorder, wrong).error().code == ErrorCode::invalid_argument);
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
  CHECK_FALSE(
      make_openrc(recorder, "/sbin/rc-service", "k3s", "/var/log/k3s.log")->last_words().empty());
  CHECK(recorder.lines.back() == "/usr/bin/tail -n 2000 /var/log/k3s.log");
  ServiceCommands given{"/bin/a", "/bin/a", "/bin/a", "/bin/log of k3s"};
  CHECK_FALSE((*make_commands(recorder, given))->last_words().empty());
  CHECK(recorder.lines.back() == "/bin/log of k3s");
  given.log.clear();
  CHECK((*make_commands(recorder, given))->last_words().empty());
  given.log = "log of k3s";
  CHECK(make_commands(recorder, given).error().code == ErrorCode::invalid_argument);
}

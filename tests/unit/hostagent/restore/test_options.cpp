#include "restore/host_work.hpp"
#include "support/backup_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>

using namespace rb;
using namespace rb::restore;
using rb::test::BackupFixture;

TEST_CASE_FIXTURE(BackupFixture, "usage errors are exit code 2, with a hint") {
  const std::vector<std::vector<std::string>> wrong{
      {},
      {"frobnicate"},
      {"list", "--bogus"},
      {"list", "extra"},
      {"show"},
      {"list", "--output", "yaml"},
      {"verify", "x", "--all"},
      {"rewrap", "--all"},
      {"rewrap", "--sops", "s"},
      {"rewrap", "x", "--all", "--sops", "s"},
      {"rewrap", "x", "y", "x", "--sops", "s"},
      {"decrypt", "-o", "out"},
      {"decrypt", "file"},
      {"restore", "--artifact", "kubeconfig", "--to", "out", "--execute"},
      {"restore", "--rollback", "--execute"},
      {"restore", "--to", "out"},
      {"restore", "--rollback", "--stop-command", "/bin/stop"},
      {"restore",
       "--stop-command",
       "stop",
       "--start-command",
       "/bin/a",
       "--status-command",
       "/bin/b"},
      {"rejoin", "--dry-run", "--rollback"},
      {"rejoin", "--resume", "--rollback"},
      {"rejoin", "--server", "192.0.2.11"},
      {"rejoin", "--server", "http://192.0.2.11:6443"},
      {"rejoin", "--server", "https://"},
      {"rejoin", "--server", "https://192.0.2.11:6443;reboot"},
      {"rejoin", "--stop-command", "/bin/stop"},
      {"rejoin", "--execute"},
      {"restore", "--set-address", "192.0.2.10"},
      {"restore", "--set-interface", "eth0"},
      {"restore", "--keep-config", "--set-address", "192.0.2.10=192.0.2.11"}};
  for (const auto& args : wrong) {
    const auto result = run(args);
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK(result.err.starts_with("railiance-restore: "));
  }
  CHECK(run({"frobnicate"}).err == "railiance-restore: there is no command 'frobnicate'\n"
                                   "hint: railiance-restore --help lists all\n");
}

TEST_CASE_FIXTURE(BackupFixture, "--help has examples, for every command") {
  for (const std::string command :
       {"list", "show", "verify", "decrypt", "rewrap", "restore", "rejoin"}) {
    const auto result = run({command, "--help"});
    CHECK(result.code == 0);
    CHECK(result.out.find("Examples:\n  railiance-restore " + command) != std::string::npos);
    CHECK(result.out.ends_with("\n"));
  }
  const auto all = run({"--help"});
  CHECK(all.code == 0);
  CHECK(all.out.find("6  damaged or tampered with") != std::string::npos);
  CHECK(run({"--version"}).out.starts_with("railiance-restore "));
}

TEST_CASE_FIXTURE(BackupFixture, "a restore that was cut off goes on with the sets it began with") {
  std::istringstream in;
  std::ostringstream out;
  const RealClock clock;
  Io io{{"railiance-restore", out, out, clock}, in};
  io.default_backup_dir = "/usual";
  cluster::JournalState state;
  state.backup_dir = "/mnt/usb/sets";
  const auto directory = [&](const std::vector<std::string>& args) {
    return directory_to_go_on(parse_options(args, io).value(), state);
  };
  CHECK(directory({"restore", "--resume"}) == "/mnt/usb/sets");
  CHECK(directory({"--backup-dir", "/copy", "restore", "--resume"}) == "/copy");
  CHECK(directory({"restore", "--resume", "--backup-dir", "/usual"}) == "/usual");
  state.backup_dir.clear(); // of a journal that does not say
  CHECK(directory({"restore", "--resume"}) == "/usual");
}

TEST_CASE_FIXTURE(BackupFixture, "a directory that is named from here is named from the root") {
  // It stands in the commands of the guide, which root types somewhere else, and on other servers.
  std::istringstream in;
  std::ostringstream out;
  const RealClock clock;
  Io io{{"railiance-restore", out, out, clock}, in};
  const std::string here = std::filesystem::current_path().string();
  const auto directory = [&](const std::string& given) {
    return parse_options(std::vector<std::string>{"--backup-dir", given, "list"}, io)
        .value()
        .backup_dir;
  };
  CHECK(directory(".") == here);
  CHECK(directory("./sets/") == here + "/sets");
  CHECK(directory("../sets") == std::filesystem::path(here).parent_path().string() + "/sets");
  CHECK(directory("/mnt/usb/") == "/mnt/usb");
  CHECK(directory("/") == "/");
}

TEST_CASE(
    "a large datastore gets the time that k3s needs for it, unless the operator says how long") {
  HostCommand command;
  CHECK(limits_for(command, 100U << 20U).reset == std::chrono::seconds(625));
  CHECK(limits_for(command, 100U << 20U).ready == std::chrono::seconds(325));
  const auto large = limits_for(command, std::uint64_t{8} << 30U);
  CHECK(large.reset == std::chrono::seconds(2648));
  CHECK(large.ready == std::chrono::seconds(2348));
  command.reset_timeout_seconds = 600;
  command.ready_timeout_seconds = 5;
  CHECK(limits_for(command, std::uint64_t{8} << 30U).reset == std::chrono::seconds(600));
  CHECK(limits_for(command, std::uint64_t{8} << 30U).ready == std::chrono::seconds(5));
}

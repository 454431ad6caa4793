#include "k3s/etcd_snapshot.hpp"

#include "api/reason.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::k3s;

using Arguments = std::vector<std::string>;
using Kind = SaveVerdict::Kind;

namespace {

const std::string k_run = "20261122T115200Z";
const std::string k_name = "railiance-20261122T115200Z-vm-1795348336";

SaveObservation observation(ProcessResult process, std::vector<std::string> files) {
  return {k_run, "vm", "/snapshots", std::move(process), std::move(files)};
}

ProcessResult exited(int status, std::string err) {
  ProcessResult process;
  process.exit_status = status;
  process.err = std::move(err);
  return process;
}

std::string saved_line(const std::string& name) {
  return "time=\"2026-11-22T11:52:16Z\" level=info msg=\"Snapshot " + name + " saved.\"\n";
}

std::string fatal(const std::string& words) {
  return "time=\"2026-11-22T11:52:16Z\" level=fatal msg=\"" + words + "\"\n";
}

} // namespace

TEST_CASE("save: flags after the subcommand, long spellings, nothing inherited") {
  const K3sCommand command{"/usr/local/bin/k3s", "/var/lib/rancher/k3s", "vm", {}, {}, false};
  const auto spec = save_spec(command, "20261122T115200Z", std::chrono::seconds(9));
  CHECK(spec.program == "/usr/local/bin/k3s");
  CHECK(spec.timeout == std::chrono::seconds(9));
  CHECK(spec.arguments == Arguments{"etcd-snapshot",
                                    "save",
                                    "--name=railiance-20261122T115200Z",
                                    "--node-name=vm",
                                    "--data-dir=/var/lib/rancher/k3s",
                                    "--etcd-s3=false",
                                    "--etcd-snapshot-compress=false"});
  for (const auto& [name, value] : spec.environment) {
    CHECK((name == "K3S_DATA_DIR" || !name.starts_with("K3S_")));
  }
  CHECK(spec.environment.at("K3S_DATA_DIR") == "/var/lib/rancher/k3s");
}

TEST_CASE("what the server uses of its own is passed on") {
  const K3sCommand command{"/k3s", "/d", "vm", "/snaps", "https://127.0.0.1:9345", true};
  const auto arguments = save_spec(command, "20261122T115200Z", std::chrono::seconds(9)).arguments;
  for (const char* const flag :
       {"--etcd-snapshot-dir=/snaps", "--etcd-server=https://127.0.0.1:9345", "--log="}) {
    CHECK(std::count(arguments.begin(), arguments.end(), flag) == 1);
  }
}

TEST_CASE(
    "each release is told by its own flag that this server is meant, whatever config.yaml says") {
  K3sCommand command{"/k3s", "/d", "vm", {}, {}, false};
  const auto flag_of = [&](const std::string& version) {
    command.version = version;
    std::string flags;
    for (const auto& arguments : {save_spec(command, k_run, std::chrono::seconds(9)).arguments,
                                  delete_spec(command, k_name).arguments}) {
      for (const std::string& argument : arguments) {
        flags += argument.find("server=") == std::string::npos ? "" : argument + " ";
      }
    }
    return flags;
  };
  const auto twice = [](const std::string& flag) { return flag + " " + flag + " "; };
  // In these a `server:` of config.yaml counts where the flag is missing.
  for (const char* const version :
       {"v1.28.9+k3s1", "v1.28.11+k3s2", "v1.29.6+k3s1", "v1.30.2+k3s2"}) {
    CAPTURE(version);
    command.etcd_server.clear();
    CHECK(flag_of(version) == twice("--server=https://127.0.0.1:6443"));
    command.etcd_server = "https://127.0.0.1:7443";
    CHECK(flag_of(version) == twice("--server=https://127.0.0.1:7443"));
  }
  for (const char* const version :
       {"v1.28.12+k3s1", "v1.29.7+k3s1", "v1.30.3+k3s1", "v1.36.1+k3s1", ""}) {
    CAPTURE(version);
    command.etcd_server.clear();
    CHECK(flag_of(version).empty());
    command.etcd_server = "https://127.0.0.1:7443";
    CHECK(flag_of(version) == twice("--etcd-server=https://127.0.0.1:7443"));
  }
  // These ask no server, and end with "flag provided but not defined".
  for (const char* const version : {"v1.26.15+k3s1", "v1.28.8+k3s1", "v1.29.3+k3s1"}) {
    CAPTURE(version);
    CHECK(flag_of(version).empty());
  }
}

TEST_CASE("delete: all flags stand before the name, for those behind it are not read") {
  const K3sCommand command{"/k3s", "/d", "vm", "/snaps", {}, false};
  CHECK(delete_spec(command, "railiance-x").arguments == Arguments{"etcd-snapshot",
                                                                   "delete",
                                                                   "--data-dir=/d",
                                                                   "--etcd-snapshot-dir=/snaps",
                                                                   "--etcd-s3=false",
                                                                   "railiance-x"});
}

TEST_CASE("delete: what k3s could not remove it calls not found, and exits with 0") {
  const std::string frame = "time=\"2026-11-22T11:52:16Z\" level=";
  ProcessResult done;
  done.exit_status = 0;
  done.err = frame + "info msg=\"Snapshot a-b-1 deleted.\"\n";
  CHECK(says_deleted(done, "a-b-1"));
  CHECK_FALSE(says_deleted(done, "a-b-12"));
  done.err = frame + "warning msg=\"Snapshot a-b-1 not found.\"\n";
  CHECK_FALSE(says_deleted(done, "a-b-1"));
  done.err = "INFO[0000] Snapshot a-b-1 deleted. \n";
  CHECK(says_deleted(done, "a-b-1"));
  done.exit_status = 1;
  CHECK_FALSE(says_deleted(done, "a-b-1"));
}

TEST_CASE("the snapshot directory: default, absolute, and relative to the server's directory") {
  CHECK(snapshot_directory("/d", "") == "/d/server/db/snapshots");
  CHECK(snapshot_directory("/d", "/s") == "/s");
  CHECK(snapshot_directory("/d", "s/t") == "/d/server/s/t");
}

TEST_CASE("a snapshot's name tells its run, node and state") {
  const auto name = parse_snapshot_name("railiance-20261122T115200Z-vm-1-1795348336");
  REQUIRE(name);
  CHECK(name->run_id == "20261122T115200Z");
  CHECK(name->node == "vm-1");
  CHECK_FALSE(name->compressed);
  CHECK_FALSE(name->partial);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1.zip")->compressed);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1.part")->partial);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1.zip.part")->partial);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1-journal")->partial); // of SQLite
}

TEST_CASE("what is not exactly a name of ours is nobody's of ours") {
  for (const char* const name : {"",
                                 "railiance-",
                                 "etcd-snapshot-vm-1795348336",
                                 "on-demand-vm-1795348336",
                                 "railiance-20261122T115200Z",
                                 "railiance-20261122T115200Z-vm",
                                 "railiance-20261122T115200Z-vm-",
                                 "railiance-20261122T115200Z-vm-12x",
                                 "railiance-20261122T115200Z--12",
                                 "railiance-20261322T115200Z-vm-12",
                                 "railiance-manual-vm-12",
                                 "Railiance-20261122T115200Z-vm-12",
                                 "railiance-20261122T115200Z-../x-12",
                                 "railiance-20261122T115200Z-v m-12",
                                 "railiance-20261122T115200Z-vm-12.age"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_snapshot_name(name));
  }
}

TEST_CASE("run and node decide whose snapshot it is; case does not, for k3s lowers it") {
  const auto name = *parse_snapshot_name("railiance-20261122T115200Z-vm-1795348336");
  CHECK(is_snapshot_of(name, "20261122T115200Z", "VM"));
  CHECK_FALSE(is_snapshot_of(name, "20261122T115201Z", "vm"));
  CHECK_FALSE(is_snapshot_of(name, "20261122T115200Z", "vm2"));
  CHECK_FALSE(is_snapshot_of(
      *parse_snapshot_name("railiance-20261122T115200Z-vm-1.part"), "20261122T115200Z", "vm"));
}

TEST_CASE("exit 0, the line, and the file: saved") {
  const auto verdict = judge_save(observation(exited(0, saved_line(k_name)), {k_name}));
  CHECK(verdict.kind == Kind::saved);
  CHECK(verdict.name == k_name);
}

TEST_CASE("warnings, the terminal form, JSON and the line of S3 do not matter") {
  for (const std::string& output :
       {"level=warning msg=\"Unknown flag --x found in config.yaml, skipping\\n\"\n" +
            saved_line(k_name),
        "INFO[0000] Snapshot " + k_name + " saved. \n",
        "{\"msg\":\"saved\",\"path\":\"/snapshots/" + k_name + "\"}\n",
        saved_line(k_name) + saved_line(k_name)}) {
    CAPTURE(output);
    CHECK(judge_save(observation(exited(0, output), {k_name})).kind == Kind::saved);
  }
}

TEST_CASE("exit 0 without a line is no snapshot, as k3s does it on a full disk") {
  for (const auto& files : {std::vector<std::string>{}, std::vector<std::string>{k_name}}) {
    const auto verdict = judge_save(observation(exited(0, ""), files));
    CHECK(verdict.kind == Kind::failed);
    CHECK(verdict.error.reason == api::Reason::snapshot_failed);
    CHECK(verdict.error.message ==
          "k3s etcd-snapshot save: exit status 0, but there is no snapshot: it said nothing");
    CHECK(verdict.error.hint.find("/snapshots is full") != std::string::npos);
  }
}

TEST_CASE("a line without the file is no snapshot") {
  const auto verdict = judge_save(observation(exited(0, saved_line(k_name)), {}));
  CHECK(verdict.kind == Kind::failed);
  CHECK(verdict.error.message == "k3s etcd-snapshot save: it says that it saved " + k_name +
                                     ", but the file is not in /snapshots");
}

TEST_CASE("a snapshot of another node, another run, or a compressed one is refused") {
  const auto message = [](const std::string& name) {
    const auto verdict = judge_save(observation(exited(0, saved_line(name)), {name}));
    CHECK(verdict.kind == Kind::failed);
    CHECK(verdict.error.reason == api::Reason::snapshot_failed);
    return verdict.error.message;
  };
  CHECK(message("railiance-20261122T115200Z-other-1").find("taken by node other, not by vm") !=
        std::string::npos);
  CHECK(message("railiance-20261122T115201Z-vm-1").find("not of this run") != std::string::npos);
  CHECK(message(k_name + ".zip").find("compressed") != std::string::npos);
  CHECK(message("on-demand-vm-1").find("not of this run") != std::string::npos);
  CHECK(message("../../etc/shadow").find("not of this run") != std::string::npos);
}

TEST_CASE("two different snapshots of one run are one too many") {
  const std::string other = "railiance-20261122T115200Z-vm-1795348337";
  const auto verdict =
      judge_save(observation(exited(0, saved_line(k_name) + saved_line(other)), {k_name, other}));
  CHECK(verdict.kind == Kind::failed);
  CHECK(verdict.error.message.find("two snapshots") != std::string::npos);
}

TEST_CASE("a timeout with a complete file is a snapshot, without one it is worth a wait") {
  ProcessResult ours;
  ours.timed_out = true;
  const ProcessResult theirs = exited(
      1, fatal("Post \\\"https://127.0.0.1:6443/db/snapshot\\\": context deadline exceeded"));
  for (const ProcessResult& process : {ours, theirs}) {
    CHECK(judge_save(observation(process, {k_name})).kind == Kind::saved);
    const auto waiting = judge_save(observation(process, {k_name + ".part"}));
    CHECK(waiting.kind == Kind::wait);
    CHECK(waiting.error.reason == api::Reason::snapshot_failed);
    CHECK(waiting.error.message.find("did not finish in time") != std::string::npos);
    CHECK((waiting.error.hint.find("two minutes") != std::string::npos) == !process.timed_out);
  }
}

TEST_CASE("a warning that speaks of a timeout does not make a success a timeout") {
  const auto verdict = judge_save(observation(
      exited(0, "level=warning msg=\"retry: context deadline exceeded\"\n" + saved_line(k_name)),
      {}));
  CHECK(verdict.kind == Kind::failed);
}

TEST_CASE("k3s's words become typed reasons") {
  struct Row {
    const char* words;
    Kind kind;
    api::Reason reason;
  };
  const Row rows[] = {
      {"see server log for details: etcd datastore disabled",
       Kind::failed,
       api::Reason::datastore_not_etcd},
      {"etcd database not found in /var/lib/rancher/k3s/server",
       Kind::failed,
       api::Reason::datastore_not_etcd},
      {"failed to get CA certs: Get \\\"https://127.0.0.1:6443/cacerts\\\": dial tcp "
       "127.0.0.1:6443: connect: connection refused",
       Kind::try_again,
       api::Reason::server_unreachable},
      {"failed to get CA certs: starting", Kind::try_again, api::Reason::server_unreachable},
      {"failed to get CA certs: context deadline exceeded",
       Kind::try_again,
       api::Reason::server_unreachable},
      {"see server log for details: not authorized", Kind::failed, api::Reason::not_authorized},
      {"see server log for details: Unauthorized", Kind::failed, api::Reason::snapshot_failed},
      {"see server log for details: Internal error occurred: etcd-snapshot error ID 12345",
       Kind::try_again,
       api::Reason::snapshot_failed},
      {"open /var/lib/rancher/k3s/server/token: no such file or directory",
       Kind::failed,
       api::Reason::snapshot_failed},
      {"something new", Kind::failed, api::Reason::snapshot_failed},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    const auto verdict = judge_save(observation(exited(1, fatal(row.words)), {}));
    CHECK(verdict.kind == row.kind);
    CHECK(verdict.error.reason == row.reason);
    CHECK(verdict.error.message.find("exit status 1: k3s says: ") != std::string::npos);
    CHECK_FALSE(verdict.error.hint.empty());
  }
}

TEST_CASE("a failed save is no snapshot, whatever else it says and leaves") {
  const auto verdict =
      judge_save(observation(exited(1, saved_line(k_name) + fatal("injected")), {k_name}));
  CHECK(verdict.kind == Kind::failed);
  CHECK(verdict.error.message == "k3s etcd-snapshot save: exit status 1: k3s says: injected");
}

TEST_CASE("a k3s that cannot be started, and one that a signal ended") {
  auto seen = observation({}, {});
  seen.process = Error{ErrorCode::not_found, "/usr/local/bin/k3s: no such file or directory", {}};
  CHECK(judge_save(seen).error.reason == api::Reason::k3s_not_found);
  CHECK(judge_save(seen).error.message == "/usr/local/bin/k3s: no such file or directory");
  seen.process = Error{ErrorCode::cancelled, "k3s: stopped", {}};
  CHECK(judge_save(seen).kind == Kind::cancelled);
  ProcessResult killed;
  killed.signal = 9;
  const auto verdict = judge_save(observation(killed, {}));
  CHECK(verdict.error.message.find("ended by signal 9") != std::string::npos);
  // By the kernel, for lack of memory: there may be some in a moment, and the server knows nothing.
  CHECK(verdict.kind == Kind::try_again);
  CHECK(verdict.error.hint.find("agent.resources.limits.memory") != std::string::npos);
}

TEST_CASE("no token reaches a message") {
  const auto verdict =
      judge_save(observation(exited(1, fatal("token K10ab::server:5ecret is wrong")), {}));
  CHECK(verdict.error.message.find("5ecret") == std::string::npos);
}

#include "agent/save_verdict.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::agent;

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
    CHECK(verdict.failure.reason == api::Reason::snapshot_failed);
    CHECK(verdict.failure.message ==
          "k3s etcd-snapshot save: exit status 0, but there is no snapshot: it said nothing");
    CHECK(verdict.failure.hint.find("/snapshots is full") != std::string::npos);
  }
}

TEST_CASE("a line without the file is no snapshot") {
  const auto verdict = judge_save(observation(exited(0, saved_line(k_name)), {}));
  CHECK(verdict.kind == Kind::failed);
  CHECK(verdict.failure.message == "k3s etcd-snapshot save: it says that it saved " + k_name +
                                       ", but the file is not in /snapshots");
}

TEST_CASE("a snapshot of another node, another run, or a compressed one is refused") {
  const auto message = [](const std::string& name) {
    const auto verdict = judge_save(observation(exited(0, saved_line(name)), {name}));
    CHECK(verdict.kind == Kind::failed);
    CHECK(verdict.failure.reason == api::Reason::snapshot_failed);
    return verdict.failure.message;
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
  CHECK(verdict.failure.message.find("two snapshots") != std::string::npos);
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
    CHECK(waiting.failure.reason == api::Reason::snapshot_failed);
    CHECK(waiting.failure.message.find("did not finish in time") != std::string::npos);
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
    CHECK(verdict.failure.reason == row.reason);
    CHECK(verdict.failure.message.find("exit status 1: k3s says: ") != std::string::npos);
    CHECK_FALSE(verdict.failure.hint.empty());
  }
}

TEST_CASE("a failed save is no snapshot, whatever else it says and leaves") {
  const auto verdict =
      judge_save(observation(exited(1, saved_line(k_name) + fatal("injected")), {k_name}));
  CHECK(verdict.kind == Kind::failed);
  CHECK(verdict.failure.message == "k3s etcd-snapshot save: exit status 1: k3s says: injected");
}

TEST_CASE("a k3s that cannot be started, and one that a signal ended") {
  auto seen = observation({}, {});
  seen.process = Error{ErrorCode::not_found, "/usr/local/bin/k3s: no such file or directory", {}};
  CHECK(judge_save(seen).failure.reason == api::Reason::k3s_not_found);
  CHECK(judge_save(seen).failure.message == "/usr/local/bin/k3s: no such file or directory");
  seen.process = Error{ErrorCode::cancelled, "k3s: stopped", {}};
  CHECK(judge_save(seen).kind == Kind::cancelled);
  ProcessResult killed;
  killed.signal = 9;
  CHECK(judge_save(observation(killed, {})).failure.message.find("ended by signal 9") !=
        std::string::npos);
}

TEST_CASE("no token reaches a message") {
  const auto verdict =
      judge_save(observation(exited(1, fatal("token K10ab::server:5ecret is wrong")), {}));
  CHECK(verdict.failure.message.find("5ecret") == std::string::npos);
}

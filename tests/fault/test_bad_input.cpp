// Each thing that can be wrong with the host or with k3s: a typed reason, a clear message, and
// nothing lost of what was there.
#include "fault/disk/mounts.hpp"
#include "fault/fake_host.hpp"
#include "set/directory.hpp"
#include "set/sets.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <thread>

using namespace rb;
using namespace rb::test;
using api::find_condition;
using api::Reason;

namespace {

/// Runs once well, then lets `spoil` loose, runs again, and checks that nothing was lost.
template <typename Spoil>
void expect_failure(FakeHost& host, Reason reason, const std::string& words, Spoil spoil) {
  REQUIRE(host.run().succeeded());
  const auto before = host.backups();
  spoil();
  const auto report = host.run();
  CAPTURE(report.message);
  CHECK(api::to_string(report.reason) == api::to_string(reason));
  CHECK(report.message.find(words) != std::string::npos);
  const auto* succeeded = find_condition(report.status.conditions, "Succeeded");
  REQUIRE(succeeded != nullptr);
  CHECK(succeeded->status == api::ConditionStatus::false_);
  CHECK(succeeded->reason == api::to_string(reason));
  CHECK(report.status.artifacts.empty());
  CHECK(report.status.completion_time);
  CHECK(host.backups() == before);
  CHECK(host.snapshots().empty());
  CHECK(host.leaks().empty());
}

struct Row {
  const char* fault;
  Reason reason;
  const char* words;
};

} // namespace

TEST_CASE("faults of k3s are named, and lose nothing") {
  const Row rows[] = {
      {"silent", Reason::snapshot_failed, "exit status 0, but there is no snapshot"},
      {"sqlite", Reason::datastore_not_etcd, "etcd datastore disabled"},
      {"sqlite-old", Reason::datastore_not_etcd, "etcd database not found"},
      {"down", Reason::server_unreachable, "connection refused"},
      {"starting", Reason::server_unreachable, "starting"},
      {"not-authorized",
       Reason::not_authorized,
       "k3s says: Error: see server log for details: not authorized"},
      {"unauthorized", Reason::snapshot_failed, "Unauthorized"},
      {"two-forms", Reason::snapshot_failed, "two forms of the same flag"},
      {"internal", Reason::snapshot_failed, "etcd-snapshot error ID 17953"},
      {"timeout-nothing", Reason::snapshot_failed, "did not finish in time"},
      {"truncated", Reason::snapshot_invalid, "the snapshot is not sound"},
      {"truncated-odd", Reason::snapshot_invalid, "the snapshot is not sound"},
      {"zero-byte", Reason::snapshot_invalid, "the snapshot is not sound"},
      {"bit-flip", Reason::snapshot_invalid, "the snapshot is not sound"},
      {"other-node", Reason::snapshot_failed, "taken by node other, not by vm"},
      {"elsewhere", Reason::snapshot_failed, "the file is not in"},
      {"compressed", Reason::snapshot_failed, "compressed"},
      {"exit-after-save", Reason::snapshot_failed, "exit status 1: k3s says: Error: injected"},
      {"killed", Reason::snapshot_failed, "ended by signal 9"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.fault);
    FakeHost host;
    host.settings.late_file_wait = std::chrono::milliseconds(200);
    expect_failure(host, row.reason, row.words, [&] { host.play(row.fault); });
  }
}

TEST_CASE("a snapshot under a foreign name is refused and left to its owner") {
  FakeHost host;
  host.play("wrong-name");
  const auto report = host.run();
  CHECK(report.reason == Reason::snapshot_failed);
  CHECK(report.message.find("not of this run") != std::string::npos);
  CHECK(host.snapshots() == std::vector<std::string>{"on-demand-vm-1795348336"});
}

TEST_CASE("k3s's words are passed on without its token") {
  FakeHost host;
  host.play("leaks-token");
  const auto report = host.run();
  CHECK(report.reason == Reason::snapshot_failed);
  CHECK(report.message.find("5ecret") == std::string::npos);
  CHECK(report.message.find("[removed]") != std::string::npos);
}

TEST_CASE("a k3s that hangs is ended when its time is up") {
  FakeHost host;
  host.settings.late_file_wait = std::chrono::milliseconds(200);
  expect_failure(host, Reason::snapshot_failed, "did not finish in time", [&] {
    host.settings.snapshot_timeout = std::chrono::seconds(1);
    host.play("hang");
  });
}

TEST_CASE("k3s is missing, not executable, or not a program") {
  SUBCASE("missing") {
    FakeHost host;
    expect_failure(host, Reason::k3s_not_found, "no such file", [&] {
      std::filesystem::remove(host.settings.k3s_program);
    });
  }
  SUBCASE("not executable") {
    FakeHost host;
    expect_failure(host, Reason::k3s_not_found, "bin/k3s", [&] {
      std::filesystem::permissions(host.settings.k3s_program, std::filesystem::perms(0644));
    });
  }
  SUBCASE("not a program") {
    FakeHost host;
    expect_failure(host, Reason::k3s_not_found, "bin/k3s", [&] {
      host.scratch.write("bin/k3s", "\x7f no program");
    });
  }
}

TEST_CASE("a server without a datastore is seen before k3s is asked") {
  FakeHost host;
  expect_failure(host, Reason::datastore_not_etcd, "there is no datastore here", [&] {
    std::filesystem::remove_all(host.scratch.path("data/server/db/etcd"));
    std::filesystem::remove(host.scratch.path("bin/calls"));
  });
  CHECK_FALSE(host.scratch.exists("bin/calls"));
}

TEST_CASE("recipients: no file, PGP only, malformed, somebody's private key") {
  struct Case {
    const char* text;
    Reason reason;
  };
  for (const Case& wrong :
       {Case{nullptr, Reason::recipient_missing},
        Case{"creation_rules:\n  - pgp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4\n",
             Reason::recipient_missing},
        Case{"creation_rules:\n  - age: age1notarecipient\n", Reason::recipient_invalid},
        Case{"creation_rules: [", Reason::recipient_invalid}}) {
    FakeHost host;
    expect_failure(host, wrong.reason, "sops.yaml", [&] {
      std::filesystem::remove(host.settings.sops_config);
      if (wrong.text != nullptr) {
        host.scratch.write("sops.yaml", wrong.text);
      }
    });
  }
}

TEST_CASE("a missing kubeconfig makes the set incomplete; the rest is stored") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const auto before = host.backups();
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  const auto report = host.run();
  CHECK(report.reason == Reason::incomplete);
  CHECK(report.message.find("KubeconfigMissing (Kubeconfig): no kubeconfig found") !=
        std::string::npos);
  REQUIRE(report.status.missing.size() == 1);
  CHECK(report.status.missing.front().reason == Reason::kubeconfig_missing);
  CHECK(report.status.artifacts.size() == 3);
  CHECK(is_untouched(before, host.backups()));
  auto directory = set::Directory::open_existing(host.settings.backup_dir).value();
  CHECK(set::list_sets(directory).value().front().state == set::SetState::incomplete);
}

TEST_CASE("a missing token, a token of another cluster, lost Helm values: incomplete, by name") {
  FakeHost host;
  SUBCASE("missing token") {
    std::filesystem::remove(host.scratch.path("data/server/token"));
    const auto report = host.run();
    CHECK(report.reason == Reason::incomplete);
    CHECK(report.message.find("HostStateMissing") != std::string::npos);
  }
  SUBCASE("token of another cluster") {
    host.scratch.write("data/server/token", "K10aa::server:another\n");
    const auto report = host.run();
    CHECK(report.reason == Reason::incomplete);
    CHECK(report.message.find("it does not belong to this snapshot") != std::string::npos);
    CHECK(report.status.artifacts.size() == 4);
  }
  SUBCASE("payload altered on the way") {
    auto order = host.next_order();
    order.helm_payload->sha256 = std::string(64, '0');
    const auto report = host.run(order);
    CHECK(report.reason == Reason::incomplete);
    CHECK(report.message.find("HelmFailed (HelmValues): Helm payload: its SHA-256") !=
          std::string::npos);
  }
  SUBCASE("the controller could not decode some releases") {
    auto order = host.next_order();
    order.missing = {{api::ArtifactType::helm_values, Reason::helm_undecodable, "1 of 2"}};
    const auto report = host.run(order);
    CHECK(report.reason == Reason::incomplete);
    CHECK(report.status.artifacts.size() == 4);
    CHECK(report.message == "HelmUndecodable (HelmValues): 1 of 2");
  }
}

TEST_CASE("nothing to store is a failure with the reason of what is missing") {
  FakeHost host;
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  auto order = host.next_order();
  order.artifacts = {api::ArtifactType::kubeconfig};
  const auto report = host.run(order);
  CHECK(report.reason == Reason::kubeconfig_missing);
  CHECK(host.backups().empty());
}

TEST_CASE("a disk that is too small is seen before k3s is asked") {
  FakeHost host;
  const Tmpfs small(host.settings.backup_dir, "size=1m");
  REQUIRE_MESSAGE(small.mounted(), "this test needs root");
  const auto report = host.run();
  CHECK(report.reason == Reason::storage_full);
  CHECK(report.message.find("free, a backup needs") != std::string::npos);
  CHECK_FALSE(host.scratch.exists("bin/calls"));
}

TEST_CASE("a full disk, on which no run ends and so none prunes: the way out is said, and helps") {
  FakeHost host;
  const Tmpfs small(host.settings.backup_dir, "size=80m");
  REQUIRE_MESSAGE(small.mounted(), "this test needs root");
  const auto first = host.next_order();
  REQUIRE(host.run(first).succeeded());
  host.scratch.write("filler", std::string(20U << 20U, 'x'));
  std::filesystem::copy(host.scratch.path("filler"), host.settings.backup_dir + "/filler");
  CHECK(host.run().message.find(" rm ") == std::string::npos); // the only set is none to give up
  std::filesystem::remove(host.settings.backup_dir + "/filler");
  REQUIRE(host.run().succeeded());
  std::filesystem::copy(host.scratch.path("filler"), host.settings.backup_dir + "/filler");
  const auto full = host.run();
  CHECK(full.reason == Reason::storage_full);
  const std::string files = host.settings.backup_dir + "/*-" + first.run_id + ".*";
  CHECK(full.message.ends_with("rm " + files));
}

TEST_CASE("a disk that fills up in mid-run: StorageFull, no part left, earlier sets whole") {
  FakeHost host;
  const Tmpfs small(host.settings.backup_dir, "size=80m");
  REQUIRE_MESSAGE(small.mounted(), "this test needs root");
  host.scratch.write("bin/fill", host.settings.backup_dir + "/filler");
  REQUIRE(host.run().succeeded());
  const auto before = host.backups();
  host.use_snapshot(4U << 20U);
  host.play("fills-the-disk");
  const auto report = host.run();
  CHECK(report.reason == Reason::storage_full);
  CHECK(report.message.find("no space left on device") != std::string::npos);
  auto after = host.backups();
  after.erase("filler");
  CHECK(after == before);
  CHECK(host.snapshots().empty());
  std::filesystem::remove(host.settings.backup_dir + "/filler");
  host.play("");
  CHECK(host.run().succeeded());
}

TEST_CASE("a directory that cannot be written: StorageFailed, and k3s is not asked") {
  FakeHost host;
  const Tmpfs disk(host.settings.backup_dir, "size=80m");
  REQUIRE_MESSAGE(disk.mounted(), "this test needs root");
  expect_failure(host, Reason::storage_failed, host.settings.backup_dir, [&] {
    REQUIRE(disk.make_read_only());
    std::filesystem::remove(host.scratch.path("bin/calls"));
  });
  CHECK(host.scratch.read("bin/calls").find("save") == std::string::npos);
}

TEST_CASE("a backup directory that is a link or a file is refused") {
  FakeHost host;
  host.scratch.make_directory("real");
  REQUIRE(::symlink(host.scratch.path("real").c_str(), host.settings.backup_dir.c_str()) == 0);
  CHECK(host.run().reason == Reason::storage_failed);
  std::filesystem::remove(host.settings.backup_dir);
  host.scratch.write("backups", "a file");
  CHECK(host.run().reason == Reason::storage_failed);
}

TEST_CASE("two runs at once: the second one says HostBusy") {
  FakeHost host;
  expect_failure(host, Reason::host_busy, host.settings.backup_dir, [&] {
    static std::optional<set::DirectoryLock> lock;
    lock = set::DirectoryLock::acquire(host.settings.backup_dir).value();
  });
}

TEST_CASE("deadline, deletion and shutdown end a run in the middle of the snapshot") {
  struct Case {
    agent::StopCause cause;
    Reason reason;
  };
  for (const Case& stopped : {Case{agent::StopCause::deadline, Reason::deadline_exceeded},
                              Case{agent::StopCause::order_deleted, Reason::interrupted},
                              Case{agent::StopCause::shutting_down, Reason::interrupted}}) {
    FakeHost host;
    REQUIRE(host.run().succeeded());
    const auto before = host.backups();
    host.play("hang-complete");
    agent::RunControl control;
    std::jthread stopper([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      control.stop(stopped.cause);
    });
    const auto report = host.run(host.next_order(), control);
    CHECK(report.reason == stopped.reason);
    CHECK(host.backups() == before);
    CHECK(host.snapshots().empty());
  }
}

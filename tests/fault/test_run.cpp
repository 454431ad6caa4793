// What a run leaves behind when all is well.
#include "agent/run/leftovers.hpp"
#include "fault/fake_host.hpp"
#include "set/sets.hpp"
#include "support/bolt_builder.hpp"
#include "support/sets.hpp"

#include "archive/tar_gz.hpp"

#include <doctest/doctest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

using namespace rb;
using namespace rb::test;
using api::find_condition;

namespace {

set::Directory directory_of(const FakeHost& host) {
  return set::Directory::open_existing(host.settings.backup_dir).value();
}

} // namespace

TEST_CASE(
    "a run leaves four artifacts, a manifest, the stamp, a line in the log, and no plaintext") {
  FakeHost host;
  const auto report = host.run();
  CAPTURE(report.message);
  REQUIRE(report.succeeded());
  const auto files = host.backups();
  const std::string id = "20261122T020100Z";
  for (const std::string& name : {"etcd-" + id + ".snap.age",
                                  "helm-values-" + id + ".tar.gz.age",
                                  "kubeconfig-" + id + ".yaml.age",
                                  "host-state-" + id + ".tar.gz.age",
                                  "manifest-" + id + ".json",
                                  "manifest-" + id + ".json.minisig",
                                  std::string(".last-backup")}) {
    CAPTURE(name);
    CHECK(files.contains(name));
    struct stat status {};
    CHECK(::stat((host.settings.backup_dir + "/" + name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
  }
  CHECK(files.size() == 7);
  CHECK(host.scratch.read("backups/backup.log").find("result=Completed") != std::string::npos);
  CHECK(host.snapshots().empty());
  CHECK(host.leaks().empty());
  CHECK_FALSE(host.scratch.exists("backups/.unfinished-" + id));
}

TEST_CASE("each artifact opens to what was backed up") {
  FakeHost host;
  const auto report = host.run();
  REQUIRE(report.succeeded());
  CHECK(host.opened("etcd-20261122T020100Z.snap.age") == host.scratch.read("bin/snapshot"));
  CHECK(host.opened("kubeconfig-20261122T020100Z.yaml.age") ==
        host.scratch.read("etc-rancher/k3s/k3s.yaml"));
  CHECK(host.opened("helm-values-20261122T020100Z.tar.gz.age") == "values");
  const std::string packed = host.opened("host-state-20261122T020100Z.tar.gz.age");
  const auto entries = archive::read_tar_gz(as_bytes(packed)).value();
  CHECK(std::any_of(entries.begin(), entries.end(), [](const archive::Entry& entry) {
    return entry.path.ends_with("server/token") &&
           entry.content.text().find(k_planted) != std::string_view::npos;
  }));
}

TEST_CASE("what is left out of the host state is in the log of the agent") {
  FakeHost host;
  for (const char* const name : {"a", "b", "c", "d", "e", "f", "g"}) {
    std::filesystem::create_symlink("/nowhere/at/all",
                                    host.scratch.path(std::string("etc-rancher/k3s/") + name));
  }
  std::ostringstream lines;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "t", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines)));
  const auto report = host.run();
  spdlog::set_default_logger(before);
  CHECK(report.succeeded());
  const std::string said = lines.str();
  CHECK(said.find("host state: left out /etc/rancher/k3s/a: a link to what is not there") !=
        std::string::npos);
  CHECK(said.find("host state: 2 more were left out") != std::string::npos);
}

TEST_CASE("manifest, status and stamp agree") {
  FakeHost host;
  const auto report = host.run();
  REQUIRE(report.succeeded());
  const auto sets = sets_of(host);
  REQUIRE(sets.size() == 1);
  const auto& manifest = *sets.front().manifest;
  CHECK(sets.front().state == set::SetState::complete);
  CHECK(manifest.artifacts == report.status.artifacts);
  CHECK(manifest.snapshot->revision == report.status.etcd->revision);
  CHECK(manifest.snapshot->total_keys == 18);
  CHECK(manifest.k3s_version == "v1.34.4+fake");
  CHECK(manifest.token_hash == manifest.snapshot->bootstrap_hashes.front());
  CHECK(manifest.recipients == std::vector{host.identity.recipient().text()});
  auto directory = directory_of(host);
  CHECK(test::read_stamp(directory)->at("run_id") == manifest.run_id);
  CHECK(test::altered_files(directory, manifest).empty());
  for (const char* const type :
       {"Succeeded", "SnapshotTaken", "ArtifactsStored", "Verified", "Pruned"}) {
    CAPTURE(type);
    CHECK(find_condition(report.status.conditions, type)->status == api::ConditionStatus::true_);
  }
}

TEST_CASE("a set is of the k3s that ran, not of a newer one that lies on the disk already") {
  FakeHost host;
  const auto field = [](int number, const std::string& content) {
    return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(content.size())} +
           content;
  };
  const auto made_with = [&](const std::string& kubelet) {
    const std::string node =
        std::string("k8s\0", 4) + field(2, field(3, field(7, field(7, kubelet))));
    const Bytes file = with_trailer(make_bolt(etcd_buckets(
        {{revision_key(2, 0), key_value("/bootstrap/" + host.token_hash(), "b")},
         {revision_key(3, 0), key_value("/registry/minions/" + host.settings.node_name, node)}})));
    host.scratch.write("bin/snapshot", std::string(as_text(file)));
    REQUIRE(host.run().succeeded());
    const auto sets = sets_of(host);
    return std::ranges::max_element(sets, {}, &set::BackupSet::run_id)->manifest->k3s_version;
  };
  CHECK(made_with("v1.33.9+k3s1") == "v1.33.9+k3s1");
  CHECK(made_with("v1.33.9; reboot") == "v1.34.4+fake"); // no release of k3s: the program's word
}

TEST_CASE("Helm values for other recipients than the manifest names are no part of a set") {
  FakeHost host;
  agent::RunOrder order = host.next_order();
  const age::Recipient own = host.identity.recipient();
  order.helm_payload->recipients_sha256 = age::recipients_sha256(std::span(&own, 1));
  REQUIRE(host.run(order).succeeded());
  // The controller has still the .sops.yaml of before.
  const age::Recipient before = age::Identity::generate().value().recipient();
  order = host.next_order();
  order.helm_payload->recipients_sha256 = age::recipients_sha256(std::span(&before, 1));
  const auto report = host.run(order);
  CHECK_FALSE(report.succeeded());
  const auto sets = sets_of(host);
  REQUIRE(sets.size() == 2);
  const set::Manifest& manifest = *sets.front().manifest;
  CHECK(manifest.run_id == order.run_id);
  CHECK(manifest.find(api::ArtifactType::helm_values) == nullptr);
  CHECK(manifest.find(api::ArtifactType::datastore) != nullptr);
  REQUIRE(manifest.missing.size() == 1);
  CHECK(manifest.missing.front().reason == api::Reason::helm_failed);
  CHECK(manifest.missing.front().message.find("other recipients") != std::string::npos);
  CHECK(manifest.missing.front().message.find("start the backup again") != std::string::npos);
}

TEST_CASE("the servers that an order names are in the manifest, and none where it names none") {
  FakeHost host;
  agent::RunOrder order = host.next_order();
  order.servers = {
      {"server-1", "192.0.2.11", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"},
      {"server-2", "192.0.2.12", ""}};
  REQUIRE(host.run(order).succeeded());
  CHECK(sets_of(host).front().manifest->servers == order.servers);
  REQUIRE(host.run().succeeded());
  CHECK(sets_of(host).front().manifest->servers.empty());
}

TEST_CASE("k3s gets a clean environment, no token in its arguments, and the delete it needs") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  CHECK(host.scratch.read("bin/environment").find("K3S_") == std::string::npos);
  const std::string calls = host.scratch.read("bin/calls");
  CHECK(calls.find("etcd-snapshot save --name=railiance-20261122T020100Z ") != std::string::npos);
  CHECK(calls.find("etcd-snapshot delete --data-dir=") != std::string::npos);
  CHECK(calls.find(k_planted) == std::string::npos);
}

TEST_CASE("every form in which k3s says that it saved is understood") {
  for (const char* const form : {"two-lines",
                                 "noise",
                                 "tty",
                                 "old-json",
                                 "busy-once",
                                 "restart-once",
                                 "timeout-complete",
                                 "timeout-late"}) {
    CAPTURE(form);
    FakeHost host;
    host.play(form);
    const auto report = host.run();
    CAPTURE(report.message);
    CHECK(report.succeeded());
    CHECK(host.snapshots().empty());
    CHECK(host.leaks().empty());
  }
}

TEST_CASE("a command that hangs with the snapshot complete is ended, and the snapshot used") {
  FakeHost host;
  host.settings.snapshot_timeout = std::chrono::seconds(1);
  host.play("hang-complete");
  CHECK(host.run().succeeded());
  CHECK(host.snapshots().empty());
}

TEST_CASE("when k3s cannot delete the plaintext, the agent does") {
  FakeHost host;
  host.play("delete-fails");
  CHECK(host.run().succeeded());
  CHECK(host.snapshots().empty());
}

TEST_CASE("the server's own snapshot directory is found in its configuration") {
  FakeHost host;
  host.scratch.make_directory("elsewhere");
  host.scratch.write("etc-rancher/k3s/config.yaml",
                     "etcd-snapshot-dir: " + host.scratch.path("elsewhere") + "\n");
  CHECK(host.run().succeeded());
  CHECK(host.scratch.read("bin/calls").find("--etcd-snapshot-dir=") != std::string::npos);
  CHECK(std::filesystem::is_empty(host.scratch.path("elsewhere")));
}

TEST_CASE(
    "a snapshot directory that is not to be seen here is not used: no plaintext is left there") {
  FakeHost host;
  host.scratch.write("etc-rancher/k3s/config.yaml.d/10.yaml",
                     "etcd-snapshot-dir: " + host.scratch.path("unmounted") + "\n");
  CHECK(host.run().succeeded());
  CHECK(host.scratch.read("bin/calls").find("--etcd-snapshot-dir=" + host.settings.data_dir) !=
        std::string::npos);
  CHECK_FALSE(host.scratch.exists("unmounted"));
  CHECK(host.snapshots().empty());
}

TEST_CASE(
    "a link in the place of the snapshot directory, to what is not to be seen here: said, and "
    "k3s puts no plaintext there") {
  FakeHost host;
  const std::string usual = host.scratch.path("data/server/db/snapshots");
  std::filesystem::remove_all(usual);
  std::filesystem::create_directory_symlink("../nas", usual);
  const auto report = host.run();
  CHECK(report.reason == api::Reason::snapshot_failed);
  INFO(report.message);
  CHECK(report.message.find("a link to " + host.scratch.path("data/server/nas")) !=
        std::string::npos);
  CHECK(host.scratch.read("bin/calls").find("etcd-snapshot save") == std::string::npos);
  host.scratch.make_directory("data/server/nas"); // where it is seen, it is followed
  CHECK(host.run().succeeded());
}

TEST_CASE("a snapshot that k3s put where we do not see it is removed by k3s") {
  FakeHost host;
  host.play("elsewhere");
  CHECK(host.run().reason == api::Reason::snapshot_failed);
  CHECK(host.scratch.read("bin/calls").find("etcd-snapshot delete ") != std::string::npos);
}

TEST_CASE("one that k3s could not remove is named, though the command exits with 0") {
  FakeHost host;
  host.play("elsewhere");
  CHECK(host.run().message.find("k3s could not remove it") == std::string::npos);
  host.play("elsewhere-stays"); // pkg/etcd logs the error, and the command calls it "not found"
  const auto report = host.run();
  CHECK(report.reason == api::Reason::snapshot_failed);
  CHECK(report.message.find("k3s could not remove it") != std::string::npos);
}

TEST_CASE("a run id that another request used does not settle this one with its set") {
  FakeHost host;
  const auto order = host.next_order();
  REQUIRE(host.run(order).succeeded());
  auto other = order;
  CHECK(agent::has_manifest(host.settings, order));
  other.cluster_backup_uid = "another-uid";
  CHECK_FALSE(agent::has_manifest(host.settings, other));
  const auto report = agent::report_from_disk(host.settings, other, host.clock);
  CHECK(report.reason == api::Reason::interrupted);
  CHECK(report.status.artifacts.empty());
}

// Each server has mounted the same directory of a NAS, and the run goes to all of them.
TEST_CASE("a set that another server makes in the same directory is neither swept nor claimed") {
  FakeHost host;
  auto order = host.next_order();
  order.servers = {{"vm", {}, {}}, {"vm-2", {}, {}}};
  const std::string artifact = "backups/etcd-" + order.run_id + ".snap.age";
  const std::string part = "backups/kubeconfig-" + order.run_id + ".yaml.age.part";
  REQUIRE(host.run(host.next_order()).succeeded()); // the directory is there
  auto directory = directory_of(host);
  SUBCASE("it is at it") {
    REQUIRE(agent::mark_unfinished(directory, order.run_id, "vm-2"));
    host.scratch.write(artifact, "x");
    host.scratch.write(part, "x");
    RealProcessRunner processes;
    CHECK(agent::sweep_host(host.settings, processes, host.clock, set::Directory::open)
              .error()
              .code == ErrorCode::busy);
    const auto report = host.run(order);
    CHECK(report.reason == api::Reason::host_busy);
    CHECK(report.message.find("server vm-2 makes a set in the same directory") !=
          std::string::npos);
    CHECK(host.scratch.exists(part));
  }
  SUBCASE("it has made it") {
    set::Manifest manifest = sets_of(host).front().manifest.value();
    manifest.run_id = order.run_id;
    manifest.cluster_backup_uid = order.cluster_backup_uid;
    manifest.node_name = "vm-2";
    manifest.artifacts.resize(1);
    manifest.artifacts.front().type = api::ArtifactType::datastore;
    manifest.artifacts.front().file_name = "etcd-" + order.run_id + ".snap.age";
    manifest.complete = false;
    host.scratch.write(artifact, "x");
    host.scratch.write("backups/manifest-" + order.run_id + ".json", set::serialize(manifest));
    CHECK_FALSE(agent::has_manifest(host.settings, order));
    CHECK(agent::report_from_disk(host.settings, order, host.clock).reason ==
          api::Reason::interrupted);
    const auto report = host.run(order);
    CHECK(report.reason == api::Reason::host_busy);
    CHECK(report.message.find("each server needs a directory of its own") != std::string::npos);
    host.settings.node_name = "restored"; // on another machine, under another name
    CHECK(agent::has_manifest(host.settings, order));
  }
  CHECK(host.scratch.read(artifact) == "x");
}

TEST_CASE("a run that ended with its process gets its line in backup.log at the next start, once") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const auto order = host.next_order();
  const auto lines = [&] {
    const std::string log = host.scratch.read("backups/backup.log");
    std::size_t count = 0;
    for (auto at = log.find("run=" + order.run_id); at != std::string::npos;
         at = log.find("run=" + order.run_id, at + 1)) {
      ++count;
    }
    return count;
  };
  const auto start = [&] {
    RealProcessRunner processes;
    REQUIRE(agent::sweep_host(host.settings, processes, host.clock, set::Directory::open));
  };
  SUBCASE("killed while k3s saved: its mark is there") {
    auto directory = directory_of(host);
    REQUIRE(agent::mark_unfinished(directory, order.run_id, host.settings.node_name));
    start();
  }
  SUBCASE("killed while it stored: artifacts without a manifest") {
    host.scratch.write("backups/etcd-" + order.run_id + ".snap.age", "x");
    start();
  }
  SUBCASE("killed before either: the order is settled") {
    start();
    CHECK(lines() == 0);
    CHECK(agent::report_from_disk(host.settings, order, host.clock).reason ==
          api::Reason::interrupted);
  }
  CHECK(lines() == 1);
  CHECK(host.scratch.read("backups/backup.log")
            .find("backup result=Interrupted run=" + order.run_id) != std::string::npos);
  start();
  static_cast<void>(agent::report_from_disk(host.settings, order, host.clock));
  CHECK(lines() == 1);
}

TEST_CASE("a run that wrote its line gets no other when it is settled") {
  FakeHost host;
  const auto order = host.next_order();
  REQUIRE(host.run(order).succeeded());
  const std::string before = host.scratch.read("backups/backup.log");
  CHECK(agent::report_from_disk(host.settings, order, host.clock).succeeded());
  CHECK(host.scratch.read("backups/backup.log") == before);
}

TEST_CASE("a manifest of the same run is never written over") {
  FakeHost host;
  const auto order = host.next_order();
  REQUIRE(host.run(order).succeeded());
  const auto before = host.backups();
  const auto again = host.run(order);
  CHECK(again.reason == api::Reason::storage_failed);
  CHECK(again.message.find("already") != std::string::npos);
  CHECK(host.backups() == before);
}

TEST_CASE("beside the artifacts lie the program and the guide for the newest set") {
  FakeHost host;
  host.scratch.write("tool", "the static program");
  host.settings.kit_program = host.scratch.path("tool");
  REQUIRE(host.run().succeeded());
  REQUIRE(host.run().succeeded());
  CHECK(host.scratch.read("backups/railiance-restore") == "the static program");
  const std::string guide = host.scratch.read("backups/RESTORE.md");
  CHECK(guide.find("etcd-20261122T020200Z.snap.age") != std::string::npos);
  CHECK(guide.find(host.scratch.path("data") + "/server/token") != std::string::npos);
  CHECK(host.leaks().empty());
}

TEST_CASE("a run that fails or is incomplete leaves the guide of the set before") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const std::string guide = host.scratch.read("backups/RESTORE.md");
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  CHECK(host.run().reason == api::Reason::incomplete);
  host.play("silent");
  CHECK_FALSE(host.run().succeeded());
  CHECK(host.scratch.read("backups/RESTORE.md") == guide);
}

TEST_CASE("a kit that cannot be written fails no backup, and is said in status and log") {
  FakeHost host;
  host.settings.kit_program = host.scratch.path("no-such-tool");
  const auto report = host.run();
  REQUIRE(report.succeeded());
  const auto* stored = find_condition(report.status.conditions, "ArtifactsStored");
  CHECK(stored->status == api::ConditionStatus::true_);
  CHECK(stored->message.find("the kit beside them is not up to date: ") != std::string::npos);
  CHECK(stored->message.find("no-such-tool") != std::string::npos);
  CHECK(host.scratch.read("backups/backup.log").find(" kit=") != std::string::npos);
  CHECK(host.scratch.exists("backups/RESTORE.md"));
}

TEST_CASE("a disk that is not mounted: StorageNotMounted, k3s is not asked, nothing is written") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const std::string away = host.scratch.path("unplugged");
  std::filesystem::rename(host.settings.backup_dir, away);
  std::filesystem::create_directory(host.settings.backup_dir); // the mount point below it
  const auto report = host.run();
  CHECK(report.reason == api::Reason::storage_not_mounted);
  CHECK(host.backups().empty());
  CHECK(std::filesystem::is_empty(host.settings.backup_dir));
  CHECK(host.snapshots().empty());
  std::filesystem::remove(host.settings.backup_dir);
  std::filesystem::rename(away, host.settings.backup_dir);
  CHECK(host.run().succeeded());
  CHECK(sets_of(host).size() == 2);
}

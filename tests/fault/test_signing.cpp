// What a run signs, and what becomes of the catalogue when runs fail, crash and prune.
#include "fault/fake_host.hpp"
#include "set/signed_files.hpp"
#include "sign/signing_key.hpp"

#include "archive/tar_gz.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::test;
using set::Provenance;

namespace {

sign::PublicKey key_of(const FakeHost& host) {
  return sign::PublicKey::parse(host.scratch.read("keys/signing.pub")).value();
}

bool all_good(const FakeHost& host) {
  const sign::PublicKey key = key_of(host);
  const auto verdicts = set::judge_catalogue(sets_of(host), std::span(&key, 1));
  return std::ranges::all_of(
      verdicts, [](const auto& set) { return set.second.verdict == Provenance::genuine; });
}

} // namespace

TEST_CASE("every set is signed, linked to the one before, and good after retention") {
  FakeHost host;
  agent::RunOrder order;
  for (int i = 0; i < 5; ++i) {
    order = host.next_order();
    order.keep_last = 3;
    REQUIRE(host.run(order).succeeded());
    CHECK(all_good(host));
  }
  const auto sets = sets_of(host);
  REQUIRE(sets.size() == 3);
  CHECK(sets[0].manifest->previous->run_id == sets[1].run_id);
  CHECK(sets[0].manifest->catalogue.size() == 2);
  CHECK(sets[0].manifest->signed_by == sign::to_string(key_of(host).id()));
  CHECK(host.scratch.read("backups/railiance-backup.pub") == key_of(host).file());
}

TEST_CASE("an incomplete set is signed, too, and goes without leaving a gap") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  std::filesystem::remove(host.scratch.path("etc-rancher/k3s/k3s.yaml"));
  CHECK(host.run().reason == api::Reason::incomplete);
  CHECK(all_good(host));
  CHECK(sets_of(host).size() == 2);
  host.scratch.write("etc-rancher/k3s/k3s.yaml", "apiVersion: v1\nclusters: []\n");
  REQUIRE(host.run().succeeded());
  CHECK(sets_of(host).size() == 2);
  CHECK(all_good(host));
}

TEST_CASE("the host state holds the key, so that a restored host goes on signing with it") {
  FakeHost host;
  const auto report = host.run();
  REQUIRE(report.succeeded());
  const auto found = std::ranges::find(
      report.status.artifacts, api::ArtifactType::host_state, &api::ArtifactStatus::type);
  const std::string packed = host.opened(found->file_name);
  const auto entries = archive::read_tar_gz(as_bytes(packed)).value();
  const auto key = std::ranges::find_if(entries, [](const archive::Entry& entry) {
    return entry.path.ends_with("/keys/signing.key");
  });
  REQUIRE(key != entries.end());
  CHECK(key->mode == 0600);
  CHECK(sign::SigningKey::from_pem(key->content.view())->public_key() == key_of(host));
}

TEST_CASE("the key is in no file of the backup directory in clear") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const std::string pem = host.scratch.read("keys/signing.key");
  const std::string secret = pem.substr(pem.find('\n') + 1, 40);
  for (const auto& [name, content] : host.backups()) {
    CHECK(content.find(secret) == std::string::npos);
  }
}

TEST_CASE("without a usable key there is no run, and the earlier sets stay") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const auto before = host.backups();
  std::filesystem::permissions(host.scratch.path("keys/signing.key"), std::filesystem::perms(0644));
  const auto report = host.run();
  CHECK(report.reason == api::Reason::storage_failed);
  CHECK(report.message.find("signing key: ") != std::string::npos);
  CHECK(report.message.find("others can read or change it") != std::string::npos);
  CHECK(host.backups() == before);
  CHECK(host.snapshots().empty());
}

TEST_CASE("a host that lost its key begins with a new one, and keeps the old public key") {
  FakeHost host;
  REQUIRE(host.run().succeeded());
  const sign::PublicKey old_key = key_of(host);
  std::filesystem::remove_all(host.scratch.path("keys"));
  REQUIRE(host.run().succeeded());
  const sign::PublicKey new_key = key_of(host);
  CHECK_FALSE(new_key == old_key);
  CHECK(host.scratch.read("backups/railiance-backup-" + sign::to_string(old_key.id()) + ".pub") ==
        old_key.file());
  const std::vector<sign::PublicKey> both{old_key, new_key};
  for (const auto& [run_id, set] : set::judge_catalogue(sets_of(host), both)) {
    CHECK(set.verdict == Provenance::genuine);
  }
}

TEST_CASE("a k3s that others can change is not run, and nothing of a set is left") {
  FakeHost host;
  std::filesystem::permissions(host.scratch.path("bin"), std::filesystem::perms(0777));
  const auto report = host.run();
  CHECK_FALSE(report.succeeded());
  CHECK(report.message.find("others than root can change " + host.scratch.path("bin")) !=
        std::string::npos);
  CHECK(report.message.find("chmod go-w") != std::string::npos);
  CHECK(host.snapshots().empty());
  CHECK(sets_of(host).empty());
}

TEST_CASE("program, guide and stamp are signed by each run, and the manifests say so") {
  FakeHost host;
  host.settings.kit_program = host.scratch.path("bin/snapshot"); // any file will do
  for (int i = 0; i < 2; ++i) {
    REQUIRE(host.run().succeeded());
    const sign::PublicKey key = key_of(host);
    auto directory = set::Directory::open_existing(host.settings.backup_dir).value();
    for (const std::string_view name : set::k_signed_files) {
      CAPTURE(name);
      const bool none = name == set::k_image_name; // without a pod there is no image
      CHECK(set::judge_signed_file(directory, name, std::span(&key, 1)).trust ==
            (none ? set::FileTrust::absent : set::FileTrust::genuine));
    }
    // What is not there counts, too: one that comes to lie there unsigned is not the host's.
    CHECK(sets_of(host).front().manifest->signed_files.size() == 4);
  }
}

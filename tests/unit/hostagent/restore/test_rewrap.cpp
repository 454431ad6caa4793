// `railiance-restore rewrap`: what is said, the exit codes, and what is refused.
#include "restore/cluster/journal.hpp"
#include "set/directory.hpp"
#include "set/sets.hpp"
#include "support/backup_fixture.hpp"
#include "support/immutable.hpp"
#include "support/sets.hpp"

#include "age/file.hpp"
#include "age/identity.hpp"
#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <map>
#include <thread>

using namespace rb;
using api::ArtifactType;
using test::BackupFixture;
using test::Outcome;
using test::run_id_of_day;

namespace {

struct RewrapFixture : BackupFixture {
  RewrapFixture() {
    be_the_host();
    test::write_file(new_keys(), std::string(fresh.text().text()) + "\n");
    test::write_file(sops(), "creation_rules:\n  - age: " + fresh.recipient().text() + "\n");
  }
  [[nodiscard]] std::string sops() const { return file("sops.yaml"); }
  [[nodiscard]] std::string new_keys() const { return file("new.txt"); }
  Outcome rewrap(std::vector<std::string> more) {
    more.insert(more.begin(), {"rewrap", "--sops", sops(), "-i", keys()});
    return run(std::move(more));
  }
  [[nodiscard]] std::map<std::string, std::string> contents() const {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(backups())) {
      files[entry.path().filename().string()] = test::read_file(entry.path().string());
    }
    return files;
  }

  age::Identity fresh = age::Identity::generate().value();
};

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

const std::string k_one = run_id_of_day(1);
const std::string k_two = run_id_of_day(2);

} // namespace

TEST_CASE_FIXTURE(RewrapFixture,
                  "rewrap: --all, the newest first; the new key opens what the old one did") {
  add_set(k_one);
  add_set(k_two);
  const auto done = rewrap({"--all"});
  INFO(done.err);
  CHECK(done.code == 0);
  CHECK(has(done.out, k_two + ": rewrapped: "));
  CHECK(done.out.find(k_two) < done.out.find(k_one));
  CHECK(has(done.out, "was opened by " + identity().recipient().text()));
  CHECK(has(done.err, "none of the keys given here opens the sets afterwards"));
  CHECK(run({"verify", "--all", "-i", new_keys()}).code == 0);
  CHECK(run({"verify", "--all", "-i", keys()}).code == 5);
  CHECK(has(test::read_file(backups() + "/backup.log"),
            "rewrap result=Completed run=" + k_one + " recipients=1"));
  CHECK(run({"restore", "--artifact", "helm-values", "--to", file("values"), "-i", new_keys()})
            .code == 0);
  CHECK(has(run({"show", k_one}).out, "since 2026-01-10T03:00:00Z"));
  SUBCASE("again: nothing is left to be done") {
    const auto before = contents();
    const auto again = rewrap({"--all"});
    CHECK(again.code == 0);
    CHECK(has(again.out, k_one + ": unchanged: it has these recipients\n"));
    CHECK(contents() == before);
  }
}

TEST_CASE_FIXTURE(
    RewrapFixture,
    "rewrap: --dry-run says which key opens which set, changes nothing, and needs no host") {
  add_set(k_one);
  host_signing_key.clear();
  const auto before = contents();
  const auto told = rewrap({"latest", "--dry-run"});
  CHECK(told.code == 0);
  CHECK(has(told.out, k_one + ": would be rewrapped: "));
  CHECK(has(told.out, "  opens with " + identity().recipient().text() + "\n"));
  CHECK(
      has(told.err, "without --dry-run nothing would be done here: this host has no signing key"));
  const auto json =
      run_json({"rewrap", "--all", "--dry-run", "--sops", sops(), "-i", other_keys()});
  CHECK(json.at("exitCode") == 5);
  CHECK(json.at("dryRun") == true);
  CHECK(json.at("recipients").at(0) == fresh.recipient().text());
  CHECK(json.at("sets").at(0).at("runID") == k_one);
  CHECK(json.at("sets").at(0).at("result") == "not rewrapped");
  CHECK(json.at("sets").at(0).at("openedBy") == "");
  CHECK(contents() == before);
}

TEST_CASE_FIXTURE(RewrapFixture, "rewrap: --dry-run takes every key that would be taken") {
  set::Manifest manifest = add_set(k_one);
  const age::Recipient recipient = fresh.recipient();
  for (api::ArtifactStatus& artifact : manifest.artifacts) {
    if (artifact.type == ArtifactType::helm_values) {
      const std::string plain = test::plaintext_of(artifact.type);
      const Bytes sealed = age::encrypt_bytes(as_bytes(plain), std::span(&recipient, 1)).value();
      test::write_file(backups() + "/" + artifact.file_name, std::string(as_text(sealed)));
      artifact.size_bytes = sealed.size();
      artifact.sha256 = to_hex(sha256(sealed));
    }
  }
  sign(manifest);
  const age::Identity third = age::Identity::generate().value();
  test::write_file(sops(), "creation_rules:\n  - age: " + third.recipient().text() + "\n");
  const auto told = rewrap({"--all", "--dry-run"});
  CHECK(told.code == 5);
  CHECK(has(told.out, "helm-values-" + k_one + ".tar.gz.age: header: none of the identities"));
  CHECK(rewrap({"--all", "--dry-run", "-i", new_keys()}).code == 0);
  CHECK(rewrap({"--all", "-i", new_keys()}).code == 0);
}

TEST_CASE_FIXTURE(
    RewrapFixture,
    "rewrap: a set for hardware tokens alone keeps its recipients, and says what helps") {
  set::Manifest manifest = add_set(k_one);
  const std::string b64(43, 'A');
  for (api::ArtifactStatus& artifact : manifest.artifacts) {
    const std::string sealed = "age-encryption.org/v1\n-> piv-p256 AAAAAA " + std::string(44, 'A') +
                               "\n" + b64 + "\n--- " + b64 + "\n" + std::string(64, 'x');
    test::write_file(backups() + "/" + artifact.file_name, sealed);
    artifact.size_bytes = sealed.size();
    artifact.sha256 = to_hex(sha256(as_bytes(sealed)));
  }
  sign(manifest);
  for (const bool dry : {true, false}) {
    const auto told = dry ? rewrap({"--all", "--dry-run"}) : rewrap({"--all"});
    INFO(told.out);
    CHECK(told.code != 0);
    CHECK(has(told.out, "piv-p256"));
    CHECK(has(told.out, "until retention takes it"));
    CHECK_FALSE(has(told.out, "decrypt it with age itself"));
  }
}

TEST_CASE_FIXTURE(
    RewrapFixture,
    "rewrap: a file of an earlier one that cannot be removed keeps no other set from it") {
  add_set(k_one);
  add_set(k_two);
  const test::Immutable immutable(artifact(ArtifactType::kubeconfig, k_one));
  if (!immutable.holds()) {
    MESSAGE("NOT RUN: this file system has no immutable files");
    return;
  }
  const auto first = rewrap({k_one});
  CHECK(first.code == 1);
  CHECK(has(first.out, k_one + ": rewrapped"));
  const auto second = rewrap({k_two});
  CHECK(second.code == 1);
  CHECK(has(second.err, "what an earlier rewrap left is still there"));
  CHECK(has(second.err, "chattr -i"));
  CHECK(has(second.out, k_two + ": rewrapped"));
  CHECK(run({"verify", "--all", "-i", new_keys()}).code == 0);
}

TEST_CASE_FIXTURE(RewrapFixture, "rewrap: a set that no key opens is 5, and the others go on") {
  add_set(k_one);
  REQUIRE(rewrap({k_one}).code == 0);
  add_set(k_two);
  test::write_file(
      sops(),
      "creation_rules:\n  - age: " + age::Identity::generate().value().recipient().text() + "\n");
  const auto done = rewrap({"--all"});
  CHECK(done.code == 5);
  CHECK(has(done.out, k_two + ": rewrapped"));
  CHECK(has(done.out, k_one + ": not rewrapped: "));
  CHECK(has(done.out, "none of the identities opens it"));
  CHECK(run({"verify", k_one, "-i", new_keys()}).code == 0);
}

TEST_CASE_FIXTURE(RewrapFixture,
                  "rewrap: what is damaged or tampered with is 6 and stays; the others go on") {
  add_set(k_one);
  add_set(k_two);
  SUBCASE("a damaged file") {
    const std::string path = artifact(ArtifactType::kubeconfig, k_two);
    std::string content = test::read_file(path);
    content.back() = static_cast<char>(content.back() ^ 1);
    test::write_file(path, content);
  }
  SUBCASE("a file that is gone") {
    std::filesystem::remove(artifact(ArtifactType::kubeconfig, k_two));
  }
  SUBCASE("a changed manifest") {
    set::Manifest manifest = set::parse_manifest(test::read_file(manifest_file(k_two))).value();
    manifest.node_name = "another";
    test::write_file(manifest_file(k_two), set::serialize(manifest));
  }
  const auto before = contents();
  const auto done = rewrap({"--all"});
  INFO(done.out);
  CHECK(done.code == 6);
  CHECK(has(done.out, k_two + ": not rewrapped: "));
  CHECK(has(done.out, k_one + ": rewrapped"));
  for (const auto& [name, content] : contents()) {
    if (has(name, k_two)) {
      CHECK(before.at(name) == content);
    }
  }
}

TEST_CASE_FIXTURE(
    RewrapFixture,
    "rewrap: a set that was never signed is refused, and with --allow-unsigned signed") {
  set::Manifest plain = add_set(k_one);
  plain.signed_by.clear();
  test::write_file(manifest_file(k_one), set::serialize(plain));
  std::filesystem::remove(manifest_file(k_one) + ".minisig");
  const auto refused = rewrap({"--all"});
  CHECK(refused.code == 6);
  CHECK(has(refused.out, "--allow-unsigned"));
  CHECK(rewrap({"--all", "--allow-unsigned"}).code == 0);
  CHECK(run({"verify", "-i", new_keys()}).code == 0);
}

TEST_CASE_FIXTURE(RewrapFixture, "rewrap: where the host's key is not, it says where to do it") {
  add_set(k_one);
  const auto before = contents();
  host_signing_key = file("nowhere/signing.key");
  const auto refused = rewrap({"--all"});
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "this host has no signing key"));
  CHECK(has(refused.err, "hint: rewrap on the server that made the sets, as root"));
  CHECK(contents() == before);
  SUBCASE("a key that others can read is none") {
    be_the_host();
    std::filesystem::permissions(host_signing_key, std::filesystem::perms(0644));
    CHECK(rewrap({"--all"}).code == 1);
    CHECK(contents() == before);
  }
  SUBCASE("another host's key does not sign this host's sets") {
    const auto other = sign::SigningKey::generate().value();
    be_the_host();
    test::write_file(host_signing_key, std::string(other.to_pem().value().text()));
    const auto other_host = rewrap({"--all"});
    CHECK(other_host.code == 1);
    CHECK(has(other_host.out, "hint: rewrap it on the host that made it"));
    const auto told = rewrap({"--all", "--dry-run"});
    CHECK(told.code == 1);
    CHECK(has(told.out, "hint: rewrap it on the host that made it"));
    CHECK(contents() == before);
  }
}

TEST_CASE_FIXTURE(RewrapFixture,
                  "rewrap: sets of the key that this host had before are taken where the operator "
                  "names it, and signed with the one of now") {
  add_set(k_one);
  add_set(k_two);
  const std::string before_key = backups() + "/railiance-backup-before.pub";
  test::write_file(before_key, signing_key().public_key().file());
  const auto now = sign::SigningKey::generate().value();
  be_the_host();
  test::write_file(host_signing_key, std::string(now.to_pem().value().text()));
  test::write_file(host_public_key, now.public_key().file());
  test::write_file(backups() + "/railiance-backup.pub", now.public_key().file());
  const auto before = contents();
  const auto refused = rewrap({"--all"});
  CHECK(refused.code == 6);
  CHECK(has(refused.out,
            "--public-key railiance-backup-" + sign::to_string(signing_key().public_key().id()) +
                ".pub"));
  CHECK(contents() == before);

  const auto told = rewrap({"--all", "--dry-run", "--public-key", before_key});
  CHECK(told.code == 0);
  CHECK(has(told.out, k_one + ": would be rewrapped"));
  const auto done = rewrap({"--all", "--public-key", before_key});
  INFO(done.out);
  CHECK(done.code == 0);
  CHECK(has(done.out, k_two + ": rewrapped"));
  CHECK(has(done.out, "this host signs it from now on"));
  CHECK(run({"verify", "--all", "-i", new_keys()}).code == 0); // by the key that the host has
  CHECK(run({"verify", "--all", "-i", keys()}).code == 5);
}

TEST_CASE_FIXTURE(
    RewrapFixture,
    "rewrap: a set of another server stays that server's, also where its key is named") {
  set::Manifest theirs = add_set(k_one);
  theirs.node_name = "cp-2";
  sign(theirs);
  const std::string their_key = file("cp-2.pub");
  test::write_file(their_key, signing_key().public_key().file());
  const auto own = sign::SigningKey::generate().value();
  set::Manifest ours = add_set(k_two);
  ours.signed_by = sign::to_string(own.public_key().id());
  sign(ours, own);
  be_the_host();
  test::write_file(host_signing_key, std::string(own.to_pem().value().text()));
  const auto done =
      rewrap({"--all", "--public-key", their_key, "--public-key", own.public_key().line()});
  INFO(done.out);
  CHECK(done.code == 1);
  CHECK(has(done.out, k_two + ": rewrapped"));
  CHECK(has(done.out, k_one + ": not rewrapped: "));
  CHECK(has(done.out, "hint: rewrap it on the host that made it"));
}

TEST_CASE_FIXTURE(
    RewrapFixture,
    "rewrap: while a backup, a rewrap or a restore runs it is 7 and touches nothing") {
  add_set(k_one);
  const auto before = contents();
  SUBCASE("a backup, or another rewrap") {
    const auto lock = set::DirectoryLock::acquire(backups());
    REQUIRE(lock);
    CHECK(rewrap({"--all"}).code == 7);
    CHECK(rewrap({"--all", "--dry-run"}).code == 0);
  }
  SUBCASE("a restore") {
    restore_lock = file("restore.lock");
    const auto lock = cluster::RestoreLock::acquire(restore_lock);
    REQUIRE(lock);
    CHECK(rewrap({"--all"}).code == 7);
  }
  CHECK(contents() == before);
}

TEST_CASE_FIXTURE(RewrapFixture,
                  "rewrap: a set that is not there, one named twice, a .sops.yaml that is none") {
  add_set(k_one);
  const auto before = contents();
  CHECK(rewrap({k_two}).code == 4);
  CHECK(rewrap({k_one, k_two}).code == 4);
  const auto twice = rewrap({k_one, "latest"});
  CHECK(twice.code == 2);
  CHECK(has(twice.err, "set " + k_one + " is named twice"));
  test::write_file(sops(), "creation_rules:\n  - pgp: ABCD\n");
  CHECK(rewrap({k_one}).code == 2);
  test::write_file(sops(), "creation_rules:\n  - age: age1nonsense\n");
  CHECK(rewrap({k_one}).code == 2);
  std::filesystem::remove(sops());
  const auto gone = rewrap({k_one});
  CHECK(gone.code == 2);
  CHECK(has(gone.err, "hint: name the .sops.yaml"));
  CHECK(run({"rewrap", k_one, "--sops", sops(), "-i", file("no-keys")}).code == 5);
  CHECK(contents() == before);
}

TEST_CASE_FIXTURE(RewrapFixture, "rewrap: who reads meanwhile never sees a damaged set") {
  add_set(k_one);
  add_set(k_two);
  std::atomic<bool> ended{false};
  std::string wrong;
  int looks = 0;
  std::jthread reader([&] {
    while (!ended) {
      const Outcome seen = run({"verify", "--all", "-i", keys()});
      ++looks;
      wrong += seen.code == 0 ? std::string() : seen.out + seen.err;
    }
  });
  int failures = 0;
  for (int i = 0; i < 10; ++i) {
    const std::string both =
        identity().recipient().text() + (i % 2 == 0 ? "," + fresh.recipient().text() : "");
    test::write_file(sops(), "creation_rules:\n  - age: " + both + "\n");
    failures += rewrap({"--all"}).code == 0 ? 0 : 1;
  }
  ended = true;
  reader.join();
  CHECK(failures == 0);
  CHECK(wrong.empty());
  CHECK(looks > 3);
}

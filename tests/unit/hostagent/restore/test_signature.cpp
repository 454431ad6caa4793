// Who made a set, as list, show, verify and restore see it, and whom they believe.
#include "set/catalogue.hpp"
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using test::BackupFixture;
using test::Outcome;
using test::run_id_of_day;

namespace {

struct SignatureFixture : BackupFixture {
  const std::string run_id = run_id_of_day(1);

  void put_key_beside(const std::string& text) {
    test::write_file(backups() + "/railiance-backup.pub", text);
  }
  [[nodiscard]] std::string public_line() const { return signing_key().public_key().line(); }
  /// Restores one artifact: it opens, when the set is taken.
  Outcome restore(std::vector<std::string> more = {}) {
    std::vector<std::string> args{
        "restore", "--artifact", "kubeconfig", "--to", file("out"), "--force", "-i", keys()};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
  std::string verdict() { return run_json({"show", "latest"}).at("signature").at("verdict"); }
  void tamper() {
    set::Manifest manifest = set::parse_manifest(test::read_file(manifest_file(run_id))).value();
    manifest.node_name = "another";
    test::write_file(manifest_file(run_id), set::serialize(manifest));
  }
};

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

} // namespace

TEST_CASE_FIXTURE(SignatureFixture, "signature: a set of this host is good, everywhere") {
  add_set(run_id);
  CHECK(has(run({"list"}).out, "good"));
  CHECK(has(run({"show", "latest"}).out,
            "good, key " + sign::to_string(signing_key().public_key().id())));
  const auto verified = run({"verify"});
  CHECK(verified.code == 0);
  CHECK(has(verified.out, "signature: good\n"));
  CHECK(run_json({"verify"}).at("sets").at(0).at("signature").at("trust") == "host");
  const auto restored = restore();
  CHECK(restored.code == 0);
  CHECK_FALSE(has(restored.err, "warning"));
}

TEST_CASE_FIXTURE(SignatureFixture, "signature: a changed manifest is 6, and is not restored") {
  add_set(run_id);
  tamper();
  const auto verified = run({"verify"});
  CHECK(verified.code == 6);
  CHECK(has(verified.out, "signature: tampered\n"));
  CHECK(has(verified.out, "the signature is not that of this manifest"));
  CHECK(has(run({"list"}).out, "tampered"));
  const auto refused = restore();
  CHECK(refused.code == 6);
  CHECK(has(refused.err, "refused: " + run_id + ": the signature is not that of this manifest"));
  CHECK(has(refused.err, "hint: choose another set"));
  CHECK_FALSE(std::filesystem::exists(file("out")));
  const auto taken = restore({"--allow-unsigned"});
  CHECK(taken.code == 0);
  CHECK(has(taken.err, "warning: signature: "));
}

TEST_CASE_FIXTURE(SignatureFixture,
                  "signature: an unsigned set is not restored, and verifies with no key at hand") {
  const set::Manifest manifest = add_set(run_id);
  set::Manifest plain = manifest;
  plain.signed_by.clear();
  test::write_file(manifest_file(run_id), set::serialize(plain));
  std::filesystem::remove(manifest_file(run_id) + ".minisig");
  SUBCASE("no key is known from outside: it may be from before this host signed") {
    host_public_key.clear();
    const auto verified = run({"verify"});
    CHECK(verified.code == 0);
    CHECK(has(verified.out, "signature: unsigned\n"));
    const auto refused = restore();
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "made before this host signed"));
    CHECK(has(refused.err, "--allow-unsigned"));
    CHECK(restore({"--allow-unsigned"}).code == 0);
  }
  SUBCASE("the host's key is known: nothing tells it from one that was stripped") {
    const auto verified = run({"verify"});
    CHECK(verified.code == 6);
    CHECK(has(verified.out, "signature: not signed\n"));
    CHECK(run({"verify", "--allow-unsigned"}).code == 0);
    CHECK(restore().code == 6);
    CHECK(restore({"--allow-unsigned"}).code == 0);
  }
}

TEST_CASE_FIXTURE(SignatureFixture, "signature: a planted set is 6, also as the newest") {
  add_set(run_id);
  // Encrypted to the public key, as anybody can, with a manifest to match.
  set::Manifest planted = add_set(run_id_of_day(2));
  planted.signed_by.clear();
  test::write_file(manifest_file(planted.run_id), set::serialize(planted));
  std::filesystem::remove(manifest_file(planted.run_id) + ".minisig");
  CHECK(run({"verify"}).code == 6);
  CHECK(has(run({"verify"}).out, "signature: planted\n"));
  CHECK(restore().code == 6);
  CHECK(restore({run_id}).code == 0);
}

TEST_CASE_FIXTURE(SignatureFixture, "signature: a set of another host is refused on this one") {
  add_set(run_id);
  const auto other = sign::SigningKey::generate().value().public_key();
  test::write_file(host_public_key, other.file());
  CHECK(verdict() == "other key");
  CHECK(run({"verify"}).code == 6);
  const auto refused = restore();
  CHECK(refused.code == 6);
  CHECK(has(refused.err, "signed by another key"));
  CHECK(has(refused.err, "--public-key"));
  SUBCASE("the operator names the key") {
    CHECK(restore({"--public-key", public_line()}).code == 0);
  }
  SUBCASE("the operator names a file with the key") {
    put_key_beside(signing_key().public_key().file());
    CHECK(restore({"--public-key", backups() + "/railiance-backup.pub"}).code == 0);
  }
  SUBCASE("the key beside the sets is nobody's word on a host that has its own") {
    put_key_beside(signing_key().public_key().file());
    CHECK(restore().code == 6);
  }
}

TEST_CASE_FIXTURE(SignatureFixture,
                  "signature: on a bare machine the key beside the sets is a first use") {
  add_set(run_id);
  host_public_key.clear();
  SUBCASE("there is none: nothing is proven, and nothing restored") {
    std::filesystem::remove(backups() + "/railiance-backup.pub");
    CHECK(verdict() == "not proven");
    CHECK(run({"verify"}).code == 0);
    const auto refused = restore();
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "no public key is known to check it with"));
  }
  SUBCASE("there is one: it is taken, and said aloud") {
    put_key_beside(signing_key().public_key().file());
    const auto taken = restore();
    CHECK(taken.code == 0);
    CHECK(has(taken.err, "FIRST USE of the key " + public_line()));
    const auto verified = run({"verify"});
    CHECK(verified.code == 0);
    CHECK(has(verified.out, "signature: first use\n"));
    CHECK(has(
        verified.err,
        "warning: first use: the key of the signatures comes from the backup directory itself"));
    CHECK(has(run({"list"}).out, "first use"));
  }
  SUBCASE("what first use cannot see: all was made anew; a pin does") {
    const auto attacker = sign::SigningKey::generate().value();
    set::Manifest manifest = set::parse_manifest(test::read_file(manifest_file(run_id))).value();
    manifest.signed_by = sign::to_string(attacker.public_key().id());
    const std::string text = set::serialize(manifest);
    test::write_file(manifest_file(run_id), text);
    test::write_file(manifest_file(run_id) + ".minisig",
                     sign::serialize(attacker.sign(as_bytes(text), "x").value()));
    put_key_beside(attacker.public_key().file());
    CHECK(restore().code == 0);
    CHECK(restore({"--public-key", public_line()}).code == 6);
    test::write_file(
        keys(), test::read_file(keys()) + "# railiance-backup public key: " + public_line() + "\n");
    const auto pinned = restore();
    CHECK(pinned.code == 6);
    CHECK(has(pinned.err, "signed by another key: " + sign::to_string(attacker.public_key().id())));
  }
  SUBCASE("a pin in the keys file needs no first use") {
    test::write_file(
        keys(), "# railiance-backup public key: " + public_line() + "\n" + test::read_file(keys()));
    const auto taken = restore();
    CHECK(taken.code == 0);
    CHECK_FALSE(has(taken.err, "FIRST USE"));
    CHECK(run_json({"verify", "-i", keys()}).at("sets").at(0).at("signature").at("trust") ==
          "pinned");
  }
}

TEST_CASE_FIXTURE(SignatureFixture,
                  "signature: a key that cannot be read does not make room for a weaker one") {
  add_set(run_id);
  put_key_beside(signing_key().public_key().file());
  std::string* unreadable = nullptr;
  SUBCASE("that of the host") {
    unreadable = &host_public_key;
  }
  SUBCASE("the one beside the sets") {
    host_public_key.clear();
    std::filesystem::remove(backups() + "/railiance-backup.pub");
    std::filesystem::create_directory(backups() + "/railiance-backup.pub");
  }
  if (unreadable != nullptr) {
    *unreadable = file("a-directory");
    std::filesystem::create_directory(*unreadable);
  }
  const auto verified = run({"verify"});
  CHECK(verified.code == 1);
  CHECK(has(verified.err, "--public-key"));
  CHECK(restore().code == 1);
  CHECK(restore({"--public-key", public_line()}).code == 0);
}

TEST_CASE_FIXTURE(SignatureFixture, "signature: a public key that is none is an error of usage") {
  add_set(run_id);
  for (const std::string& word : {file("nowhere"), keys(), std::string("RWQ")}) {
    const auto result = run({"verify", "--public-key", word});
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK_FALSE(has(result.err, "AGE-SECRET"));
    CHECK(run({"restore", "--dry-run", "-i", keys(), "--public-key", word}).code == 2);
  }
}

TEST_CASE_FIXTURE(SignatureFixture, "signature: the guide and --dry-run refuse as --execute does") {
  add_set(run_id);
  tamper();
  const auto guided = run({"restore", "-i", keys()});
  CHECK(guided.code == 6);
  CHECK(has(guided.out, "tampered")); // the table is there
  CHECK_FALSE(has(guided.out, "--cluster-reset"));
  const auto dry = run({"restore", "--dry-run", "-i", keys()});
  CHECK(dry.code == 6);
  CHECK(has(dry.out, "refused   signature: "));
  CHECK(has(run({"restore", "--dry-run", "--allow-unsigned", "-i", keys()}).out,
            "warning   signature: "));
}

// Whom a server believes besides itself: the other servers, by the keys that its own newest set
// names, and nobody whose key came there in another way.
#include "support/backup_fixture.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using test::BackupFixture;
using test::Outcome;
using test::run_id_of_day;

namespace {

bool has(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

/// This host is server-1.
struct PeerFixture : BackupFixture {
  const sign::SigningKey other = sign::SigningKey::generate().value();
  const std::string own_run = run_id_of_day(2);
  const std::string other_run = run_id_of_day(1);

  static api::ServerEntry entry(const std::string& node, const sign::SigningKey& key) {
    return {node, "10.0.0.2", key.public_key().line()};
  }
  set::Manifest made_by(const std::string& run_id,
                        const std::string& node,
                        const sign::SigningKey& key,
                        std::vector<api::ServerEntry> servers = {}) {
    set::Manifest manifest = add_set(run_id);
    manifest.node_name = node;
    manifest.servers = std::move(servers);
    manifest.signed_by = sign::to_string(key.public_key().id());
    sign(manifest, key);
    return manifest;
  }
  void add_own(const std::string& run_id, std::vector<api::ServerEntry> servers) {
    made_by(run_id, "server-1", signing_key(), std::move(servers));
  }
  void add_other() { made_by(other_run, "server-2", other); }

  std::string verdict(const std::string& run_id) {
    return run_json({"show", run_id}).at("signature").at("verdict");
  }
  Outcome restore(std::vector<std::string> more = {}) {
    std::vector<std::string> args{"restore",
                                  other_run,
                                  "--artifact",
                                  "kubeconfig",
                                  "--to",
                                  file("out"),
                                  "--force",
                                  "-i",
                                  keys()};
    args.insert(args.end(), more.begin(), more.end());
    return run(args);
  }
};

} // namespace

TEST_CASE_FIXTURE(PeerFixture, "peers: a set of a server that this host's own set names is good") {
  add_other();
  add_own(own_run, {entry("server-1", signing_key()), entry("server-2", other)});
  CHECK(has(run({"list"}).out, "good, of server-2"));
  CHECK(has(run({"list"}).out, "server-2\n"));
  CHECK(has(run({"show", other_run}).out,
            "good, of server-2, key " + sign::to_string(other.public_key().id()) + ", which set " +
                own_run + " names"));
  const auto json = run_json({"show", other_run}).at("signature");
  CHECK(json.at("server") == "server-2");
  CHECK(json.at("namedBy") == own_run);
  const auto verified = run({"verify", "--all"});
  CHECK(verified.code == 0);
  CHECK(has(verified.out, "signature: good, of server-2; made on server-2\n"));
  CHECK(has(verified.out, "signature: good; made on server-1\n"));
  const auto restored = restore();
  CHECK(restored.code == 0);
  CHECK_FALSE(has(restored.err, "warning"));
}

TEST_CASE_FIXTURE(PeerFixture, "peers: a server that no own set names is another host") {
  add_other();
  add_own(own_run, {entry("server-1", signing_key())});
  CHECK(verdict(other_run) == "other key");
  CHECK(run({"verify", other_run}).code == 6);
  CHECK(restore().code == 6);
}

TEST_CASE_FIXTURE(PeerFixture, "peers: a server that left is no peer of the newest set any more") {
  add_other();
  add_own(own_run, {entry("server-2", other)});
  CHECK(verdict(other_run) == "good");
  add_own(run_id_of_day(3), {entry("server-1", signing_key())});
  CHECK(verdict(other_run) == "other key");
}

TEST_CASE_FIXTURE(PeerFixture, "peers: who can write to the directory gets no key trusted") {
  add_own(own_run, {entry("server-1", signing_key())});
  SUBCASE("by a set that the key itself signed") {
    made_by(other_run, "server-2", other);
    made_by(run_id_of_day(3), "server-2", other, {entry("server-2", other)});
  }
  SUBCASE("by a set that bears this host's id and not its signature") {
    add_other();
    set::Manifest planted = made_by(run_id_of_day(3), "server-1", other, {entry("x", other)});
    planted.signed_by = sign::to_string(signing_key().public_key().id());
    sign(planted, other);
  }
  SUBCASE("by a set without a signature") {
    add_other();
    set::Manifest planted = made_by(run_id_of_day(3), "server-1", other, {entry("x", other)});
    planted.signed_by.clear();
    test::write_file(manifest_file(planted.run_id), set::serialize(planted));
    std::filesystem::remove(manifest_file(planted.run_id) + ".minisig");
  }
  SUBCASE("by a change of the own set") {
    add_other();
    auto changed = set::parse_manifest(test::read_file(manifest_file(own_run))).value();
    changed.servers.push_back(entry("x", other));
    test::write_file(manifest_file(own_run), set::serialize(changed));
  }
  SUBCASE("by the key beside the sets") {
    add_other();
    test::write_file(backups() + "/railiance-backup.pub", other.public_key().file());
  }
  CHECK(verdict(other_run) == "other key");
  CHECK(restore().code == 6);
}

TEST_CASE_FIXTURE(PeerFixture, "peers: what the host came to vouch for names nobody") {
  add_other();
  add_own(own_run, {});
  set::Manifest adopted = add_set(run_id_of_day(3));
  adopted.servers = {entry("server-2", other)};
  adopted.signed_by = sign::to_string(signing_key().public_key().id());
  adopted.rewrap = set::RewrapRecord{};
  adopted.rewrap->adopted = true;
  for (api::ArtifactStatus& artifact : adopted.artifacts) {
    const std::string from = backups() + "/" + artifact.file_name;
    artifact.file_name =
        set::artifact_name(artifact.type, adopted.run_id, 1, api::DatastoreKind::etcd);
    std::filesystem::rename(from, backups() + "/" + artifact.file_name);
  }
  std::filesystem::remove(manifest_file(adopted.run_id));
  std::filesystem::remove(manifest_file(adopted.run_id) + ".minisig");
  const std::string text = set::serialize(adopted);
  const std::string name = backups() + "/" + adopted.file_name();
  test::write_file(name, text);
  test::write_file(name + ".minisig",
                   sign::serialize(signing_key().sign(as_bytes(text), "railiance-backup").value()));
  CHECK(verdict(adopted.run_id) == "good");
  CHECK(verdict(other_run) == "other key");
}

TEST_CASE_FIXTURE(PeerFixture, "peers: with --public-key no other key counts") {
  add_other();
  add_own(own_run, {entry("server-2", other)});
  CHECK(restore({"--public-key", signing_key().public_key().line()}).code == 6);
  CHECK(restore({"--public-key", other.public_key().line()}).code == 0);
}

TEST_CASE_FIXTURE(PeerFixture, "peers: a key that only the directory knows names nobody") {
  add_other();
  add_own(own_run, {entry("server-2", other)});
  host_public_key.clear();
  CHECK(verdict(own_run) == "good");
  CHECK(verdict(other_run) == "other key");
}

TEST_CASE_FIXTURE(PeerFixture, "peers: a key of the keys file names them on a bare machine") {
  add_other();
  add_own(own_run, {entry("server-2", other)});
  host_public_key.clear();
  test::write_file(keys(),
                   "# railiance-backup public key: " + signing_key().public_key().line() + "\n" +
                       test::read_file(keys()));
  CHECK(restore().code == 0);
}

TEST_CASE_FIXTURE(PeerFixture,
                  "peers: sets of another server in a directory of their own are known by the sets "
                  "where this host keeps its own") {
  add_own(own_run, {entry("server-2", other)});
  default_backup_dir = file("own");
  std::filesystem::rename(backups(), default_backup_dir);
  static_cast<void>(set::Directory::open(backups()).value());
  add_other();
  CHECK(verdict(other_run) == "good");
  CHECK(restore().code == 0);
  std::filesystem::remove_all(default_backup_dir);
  CHECK(verdict(other_run) == "other key");
}

TEST_CASE_FIXTURE(PeerFixture,
                  "peers: an older own set beside another server's vouches for nobody that the "
                  "newest one, where this host keeps its own, names no more") {
  default_backup_dir = file("own");
  add_own(own_run, {entry("server-2", other)});
  std::filesystem::copy(backups(), default_backup_dir, std::filesystem::copy_options::recursive);
  add_other();
  CHECK(verdict(other_run) == "good");
  std::filesystem::rename(backups(), file("copied"));
  std::filesystem::rename(default_backup_dir, backups());
  add_own(run_id_of_day(3), {entry("server-1", signing_key())});
  std::filesystem::rename(backups(), default_backup_dir);
  std::filesystem::rename(file("copied"), backups());
  CHECK(verdict(own_run) == "good");
  CHECK(verdict(other_run) == "other key");
}

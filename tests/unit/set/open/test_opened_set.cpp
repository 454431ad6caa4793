#include "k3s/token.hpp"
#include "set/host_state.hpp"
#include "set/opened_set.hpp"
#include "support/backup_fixture.hpp"
#include "support/bolt_builder.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>

using namespace rb;
using api::ArtifactType;
using set::OutputFile;
using test::BackupFixture;
using test::run_id_of_day;
using test::TemporaryDirectory;

namespace {

const std::string k_run = run_id_of_day(1);

struct SetFixture : BackupFixture {
  set::Manifest manifest = add_set(k_run);
  set::Directory directory = set::Directory::open_existing(backups()).value();
  std::span<const age::Identity> identities{&identity(), 1};

  void reload() {
    manifest =
        set::parse_manifest(test::read_file(backups() + "/manifest-" + k_run + ".json")).value();
  }
};

} // namespace

TEST_CASE_FIXTURE(SetFixture, "open_artifact gives the plaintext of what the manifest names") {
  for (const ArtifactType type : api::k_all_artifacts) {
    const auto plain = set::open_artifact(directory, manifest, type, identities);
    REQUIRE(plain);
    CHECK(plain->text() == test::plaintext_of(type));
  }
}

TEST_CASE_FIXTURE(SetFixture, "open_artifact refuses what is not that of the manifest") {
  SUBCASE("a file of another set, which the same key opens") {
    test::write_file(artifact(ArtifactType::kubeconfig, k_run), encrypt("other"));
    const auto plain =
        set::open_artifact(directory, manifest, ArtifactType::kubeconfig, identities);
    REQUIRE(!plain);
    CHECK(plain.error().code == ErrorCode::corrupt);
    CHECK(plain.error().message.starts_with("kubeconfig-" + k_run + ".yaml.age: its size of "));
    CHECK(!plain.error().hint.empty());
  }
  SUBCASE("a key that does not fit") {
    const auto other = age::Identity::generate().value();
    const auto plain =
        set::open_artifact(directory, manifest, ArtifactType::kubeconfig, {&other, 1});
    REQUIRE(!plain);
    CHECK(plain.error().code == ErrorCode::no_matching_identity);
  }
  SUBCASE("an artifact that the set does not have") {
    manifest.artifacts.clear();
    const auto plain =
        set::open_artifact(directory, manifest, ArtifactType::host_state, identities);
    REQUIRE(!plain);
    CHECK(plain.error().code == ErrorCode::not_found);
    CHECK(plain.error().message == "set " + k_run + " has no HostState");
  }
}

TEST_CASE_FIXTURE(SetFixture, "decrypt_artifact_to makes a whole file of mode 0600, or none") {
  const std::string out = file("etcd.snap");
  const auto decrypt = [&] {
    return set::decrypt_artifact_to(
        directory, manifest, ArtifactType::datastore, identities, {out, false});
  };
  SUBCASE("good") {
    std::uint64_t told = 0;
    REQUIRE(set::decrypt_artifact_to(directory,
                                     manifest,
                                     ArtifactType::datastore,
                                     identities,
                                     {out, false},
                                     {},
                                     [&](std::uint64_t done, std::uint64_t) { told = done; }));
    CHECK(test::read_file(out) == test::plaintext_of(ArtifactType::datastore));
    CHECK(told == manifest.artifacts.front().size_bytes);
    struct stat status {};
    REQUIRE(::stat(out.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777U) == 0600U);
    const auto again = decrypt();
    REQUIRE(!again);
    CHECK(again.error().code == ErrorCode::already_exists);
  }
  SUBCASE("cut off, altered, of another set") {
    const std::string path = artifact(ArtifactType::datastore, k_run);
    std::string flipped = test::read_file(path);
    flipped[flipped.size() - 5] = static_cast<char>(flipped[flipped.size() - 5] ^ 4);
    const std::string short_snapshot(as_text(test::with_trailer(test::make_bolt(
        test::etcd_buckets({{test::revision_key(2, 0), test::key_value("/registry/pods/x")}})))));
    for (const std::string& bad :
         {flipped, flipped.substr(0, 70'000), encrypt(short_snapshot), std::string()}) {
      test::write_file(path, bad);
      const auto status = decrypt();
      REQUIRE(!status);
      CHECK(status.error().code == ErrorCode::corrupt);
      CHECK(!std::filesystem::exists(out));
    }
  }
  SUBCASE("another snapshot under digests that were made to match") {
    const std::string other(as_text(test::with_trailer(test::make_bolt(
        test::etcd_buckets({{test::revision_key(2, 0), test::key_value("/registry/pods/x")}})))));
    replace_content(ArtifactType::datastore, k_run, other);
    reload();
    const auto status = decrypt();
    REQUIRE(!status);
    CHECK(status.error().message.find("the snapshot's SHA-256 is not that") != std::string::npos);
    CHECK(!std::filesystem::exists(out));
  }
}

TEST_CASE_FIXTURE(SetFixture, "open_host_state reads token, versions and files") {
  const auto state = set::open_host_state(directory, manifest, identities);
  REQUIRE(state);
  CHECK(state->server_token() == test::k_token);
  CHECK(state->agent_token().empty());
  CHECK(state->k3s_version == "v1.34.4+k3s1");
  CHECK(state->files.size() == 2);
  REQUIRE(state->find("/etc/rancher/k3s/config.yaml") != nullptr);
  CHECK(state->find("/etc/rancher/k3s/config.yaml")->content.text() == "cluster-init: true\n");
  CHECK(state->find("host.json") == nullptr);
}

TEST_CASE_FIXTURE(SetFixture, "open_host_state refuses the state of another cluster") {
  replace_content(ArtifactType::host_state, k_run, test::host_state("K10bb::server:other"));
  reload();
  const auto state = set::open_host_state(directory, manifest, identities);
  REQUIRE(!state);
  CHECK(state.error().code == ErrorCode::corrupt);
  CHECK(state.error().message.find("token is not the one that the manifest names") !=
        std::string::npos);
  CHECK(state.error().message.find("other") == std::string::npos);
}

TEST_CASE("parse_host_state: what is none") {
  const auto message_of = [](const std::string& bytes) {
    const auto state = set::parse_host_state(as_bytes(bytes));
    REQUIRE(!state);
    return state.error().message;
  };
  CHECK(message_of("no tar").starts_with("host state: "));
  CHECK(message_of(test::tar_gz({{"a", "b"}})) == "host state: there is no host.json in it");
  CHECK(message_of(test::tar_gz({{"host.json", "{"}})) == "host state: host.json is not JSON");
  CHECK(message_of(test::tar_gz({{"host.json", R"({"schema": "x/v2"})"}})).find("schema") !=
        std::string::npos);
  CHECK(message_of(test::tar_gz({{"host.json", R"({"schema": "railiance.io/host-state/v1"})"}})) ==
        "host state: there is no server token in it");
  CHECK(message_of(test::tar_gz(
            {{"host.json",
              R"({"schema": "railiance.io/host-state/v1", "tokenHash": "000000000000"})"},
             {"var/lib/rancher/k3s/server/token", "x"}})) ==
        "host state: its server token is not that of its host.json");
}

TEST_CASE("OutputFile: no name before commit, and none without it") {
  const TemporaryDirectory temporary;
  {
    auto file = OutputFile::create(temporary.file("out"), false);
    REQUIRE(file);
    REQUIRE(file->write(as_bytes("secret")));
    CHECK(!std::filesystem::exists(temporary.file("out")));
  }
  CHECK(std::filesystem::is_empty(temporary.path()));
}

TEST_CASE("OutputFile: a file that appears meanwhile is not replaced") {
  const TemporaryDirectory temporary;
  {
    auto file = OutputFile::create(temporary.file("out"), false);
    REQUIRE(file);
    test::write_file(temporary.file("out"), "first");
    const Status status = file->commit();
    REQUIRE(!status);
    CHECK(status.error().code == ErrorCode::already_exists);
  }
  CHECK(test::read_file(temporary.file("out")) == "first");
}

TEST_CASE("OutputFile: --force does not follow a link, and refuses what is no file") {
  const TemporaryDirectory temporary;
  test::write_file(temporary.file("victim"), "precious");
  std::filesystem::create_symlink("victim", temporary.file("link"));
  std::filesystem::create_directory(temporary.file("directory"));
  CHECK(!OutputFile::create(temporary.file("link"), true));
  CHECK(!OutputFile::create(temporary.file("link"), false));
  CHECK(!OutputFile::create(temporary.file("directory"), true));
  CHECK(!OutputFile::create(temporary.file("directory/"), true));
  CHECK(test::read_file(temporary.file("victim")) == "precious");
}

TEST_CASE("OutputFile: mode 0600 whatever the umask") {
  const TemporaryDirectory temporary;
  const mode_t before = ::umask(0);
  auto file = OutputFile::create(temporary.file("out"), true);
  ::umask(before);
  REQUIRE(file);
  REQUIRE(file->commit());
  CHECK(test::mode_of(temporary.file("out")) == "600");
}

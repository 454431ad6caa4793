// The snapshot of a set, as a restore takes it: gigabytes, maybe, which somebody watches.
#include "restore/cluster/set_access.hpp"
#include "support/backup_fixture.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using rb::test::BackupFixture;

TEST_CASE_FIXTURE(BackupFixture,
                  "the decryption of a snapshot is told of, and stopped when asked") {
  const set::Manifest manifest = add_set("20261122T020000Z");
  auto directory = set::Directory::open_existing(backups()).value();
  const std::string path = file("snapshot");
  std::uint64_t told = 0;
  std::stop_source over;
  set::CheckHooks hooks;
  hooks.stop = over.get_token();
  hooks.on_bytes = [&](const std::string& /*step*/, std::uint64_t done, std::uint64_t total) {
    CHECK(total == manifest.find(api::ArtifactType::datastore)->size_bytes);
    told = done;
  };
  cluster::DirectorySetSource source(directory, manifest, std::span(&identity(), 1), {}, {}, hooks);
  SUBCASE("told") {
    REQUIRE(source.decrypt_snapshot(path));
    CHECK(told == manifest.find(api::ArtifactType::datastore)->size_bytes);
  }
  SUBCASE("stopped") {
    over.request_stop();
    const Status stopped = source.decrypt_snapshot(path);
    REQUIRE_FALSE(stopped);
    CHECK(stopped.error().code == ErrorCode::cancelled);
    CHECK_FALSE(std::filesystem::exists(path));
  }
}

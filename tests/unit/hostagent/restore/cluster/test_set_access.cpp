// The set as the executor of a restore reads it.
#include "restore/cluster/set_access.hpp"
#include "set/names.hpp"
#include "set/signed_write.hpp"
#include "support/fault_disk.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::cluster;

namespace {

/// A backup directory with the kit's image in it, and the host that it goes to.
struct Kit {
  test::FaultDisk disk;
  set::Directory directory{disk.mount(), "/backup"};
  set::Manifest manifest;
  sign::SigningKey key = sign::SigningKey::generate().value();
  test::TemporaryDirectory host;

  void write_image() {
    REQUIRE(set::write_signed_file(
        directory, std::string(set::k_image_name), as_bytes("layers and their manifest"), key));
  }
  /// The keys belong to the source alone from here on, as those of a restore do.
  [[nodiscard]] DirectorySetSource source_trusting(const sign::SigningKey& trusted) {
    return {directory, manifest, {}, {trusted.public_key()}, {}};
  }
  [[nodiscard]] bool host_is_empty() const { return std::filesystem::is_empty(host.path()); }
};

} // namespace

TEST_CASE("the kit's image is put where the host takes it, by keys that the source keeps") {
  Kit kit;
  kit.write_image();
  auto source = kit.source_trusting(kit.key);
  const auto put = source.put_image(kit.host.file("image.tar"));
  REQUIRE(put);
  CHECK(*put);
  CHECK(test::read_file(kit.host.file("image.tar")) == "layers and their manifest");
}

TEST_CASE("an image that another key signed is not put anywhere") {
  Kit kit;
  kit.write_image();
  auto source = kit.source_trusting(sign::SigningKey::generate().value());
  CHECK(source.put_image(kit.host.file("image.tar")).error().code == ErrorCode::corrupt);
  CHECK(kit.host_is_empty());
}

TEST_CASE("a set of a server with an external database says so") {
  Kit kit;
  for (const api::Reason reason : {api::Reason::datastore_external, api::Reason::snapshot_failed}) {
    set::BackupSet set;
    set.run_id = "20261122T020000Z";
    set.manifest = kit.manifest;
    set.manifest->missing.push_back({api::ArtifactType::datastore, reason, "why"});
    const auto opened = open_set(kit.directory, set, {}, {});
    REQUIRE(opened);
    CHECK_FALSE(opened->facts.snapshot);
    CHECK(opened->facts.external_datastore == (reason == api::Reason::datastore_external));
  }
}

TEST_CASE("a kit without an image is no error") {
  Kit kit;
  const auto put = kit.source_trusting(kit.key).put_image(kit.host.file("image.tar"));
  REQUIRE(put);
  CHECK_FALSE(*put);
  CHECK(kit.host_is_empty());
}

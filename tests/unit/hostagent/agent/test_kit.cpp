// The kit beside the artifacts: current, whole, and never in place of what is not ours.
// The image in the kit: found in containerd's content store by every name that a Pod's status has
// for it, whole, written once for each version, and never in the way of a backup.
#include "agent/host/kit.hpp"
#include "set/signed_files.hpp"
#include "support/scratch.hpp"
#include "support/sets.hpp"
#include "support/temporary_directory.hpp"

#include "base/digest.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

using namespace rb;
using namespace rb::agent;

namespace {

struct Place {
  test::Scratch scratch;
  set::Directory directory = set::Directory::open(scratch.path("backups")).value();
  set::Manifest manifest = test::make_manifest("20261122T020000Z");
  sign::SigningKey key = sign::SigningKey::generate().value();
  set::GuideFacts facts{scratch.path("backups"), "/var/lib/rancher/k3s", "/etc/rancher"};

  Place() { scratch.write("tool", "first program"); }
  [[nodiscard]] std::vector<Error> write() {
    return write_kit(directory, scratch.path("tool"), manifest, facts, key);
  }
};

set::FileTrust trust_of(Place& place, std::string_view name) {
  const sign::PublicKey own = place.key.public_key();
  return set::judge_signed_file(place.directory, name, std::span(&own, 1)).trust;
}

struct ::stat status_of(const std::string& path) {
  struct ::stat status {};
  REQUIRE(::lstat(path.c_str(), &status) == 0);
  return status;
}

} // namespace

TEST_CASE("the program lies there with mode 0700, the guide with 0600, and nothing half done") {
  Place place;
  CHECK(place.write().empty());
  CHECK(place.scratch.read("backups/railiance-restore") == "first program");
  CHECK((status_of(place.scratch.path("backups/railiance-restore")).st_mode & 07777U) == 0700U);
  CHECK((status_of(place.scratch.path("backups/RESTORE.md")).st_mode & 07777U) == 0600U);
  CHECK(place.scratch.read("backups/RESTORE.md") ==
        set::restore_guide(place.manifest, place.facts));
  CHECK_FALSE(place.scratch.exists("backups/railiance-restore.part"));
}

TEST_CASE("the program is copied again only when it is another one") {
  Place place;
  REQUIRE(place.write().empty());
  const auto before = status_of(place.scratch.path("backups/railiance-restore")).st_ino;
  REQUIRE(place.write().empty());
  CHECK(status_of(place.scratch.path("backups/railiance-restore")).st_ino == before);
  place.scratch.write("tool", "next program");
  REQUIRE(place.write().empty());
  CHECK(place.scratch.read("backups/railiance-restore") == "next program");
}

TEST_CASE("terabytes in the place of the program are replaced, and not read") {
  Place place;
  REQUIRE(place.write().empty());
  std::filesystem::resize_file(place.scratch.path("backups/railiance-restore"),
                               std::uintmax_t{1} << 40U);
  CHECK(place.write().empty());
  CHECK(place.scratch.read("backups/railiance-restore") == "first program");
}

TEST_CASE("a link under a name of the kit is refused, and what it points to stays as it is") {
  for (const char* const name : {"railiance-restore", "RESTORE.md"}) {
    CAPTURE(name);
    Place place;
    place.scratch.write("victim", "untouched");
    std::filesystem::create_symlink(place.scratch.path("victim"),
                                    place.scratch.path("backups") + "/" + name);
    const auto problems = place.write();
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message.find("is a symbolic link") != std::string::npos);
    CHECK(problems[0].hint == "remove it: the agent puts its own file there");
    CHECK(place.scratch.read("victim") == "untouched");
    CHECK(place.scratch.exists("backups/railiance-restore"));
    CHECK(place.scratch.exists("backups/RESTORE.md"));
  }
}

TEST_CASE("without its program the kit still has the guide, and says what is missing") {
  Place place;
  std::filesystem::remove(place.scratch.path("tool"));
  const auto problems = place.write();
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].code == ErrorCode::not_found);
  CHECK(place.scratch.exists("backups/RESTORE.md"));
  CHECK(write_kit(place.directory, "", place.manifest, place.facts, place.key).empty());
}

TEST_CASE("the guide of a whole set is not replaced by one for a set without host state") {
  Place place;
  REQUIRE(place.write().empty());
  place.manifest.run_id = "20261123T020000Z";
  auto lesser = place.manifest;
  lesser.artifacts.pop_back();
  REQUIRE(write_kit(place.directory, "", lesser, place.facts, place.key).empty());
  CHECK(place.scratch.read("backups/RESTORE.md").find("20261122T020000Z") != std::string::npos);
  REQUIRE(place.write().empty());
  CHECK(place.scratch.read("backups/RESTORE.md").find("20261123T020000Z") != std::string::npos);
}

TEST_CASE("program and guide are signed, and a file that is not ours is made anew") {
  Place place;
  REQUIRE(place.write().empty());
  for (const char* const name : {"railiance-restore", "RESTORE.md"}) {
    CAPTURE(name);
    CHECK(trust_of(place, name) == set::FileTrust::genuine);
    const std::string path = std::string("backups/") + name;
    const std::string ours = place.scratch.read(path);
    place.scratch.write(path, "theirs");
    CHECK(trust_of(place, name) == set::FileTrust::tampered);
    REQUIRE(place.write().empty());
    CHECK(trust_of(place, name) == set::FileTrust::genuine);
    CHECK(place.scratch.read(path) == ours);

    std::filesystem::remove(place.scratch.path(path + ".minisig"));
    CHECK(trust_of(place, name) == set::FileTrust::not_signed);
    REQUIRE(place.write().empty());
    CHECK(trust_of(place, name) == set::FileTrust::genuine);
  }
}

TEST_CASE("a guide of somebody else does not stay because the new set has no host state") {
  Place place;
  place.scratch.write("backups/RESTORE.md", "theirs");
  place.manifest.artifacts.pop_back();
  REQUIRE(place.write().empty());
  CHECK(place.scratch.read("backups/RESTORE.md") != "theirs");
  CHECK(trust_of(place, "RESTORE.md") == set::FileTrust::genuine);
}

namespace {

constexpr const char* k_blobs =
    "data/agent/containerd/io.containerd.content.v1.content/blobs/sha256/";
constexpr const char* k_archive = "backups/railiance-backup-image.tar";

std::string hex_of(const std::string& content) {
  return to_hex(sha256(as_bytes(content)));
}

struct Node {
  test::Scratch scratch;
  set::Directory directory = set::Directory::open(scratch.path("backups")).value();
  sign::SigningKey key = sign::SigningKey::generate().value();
  std::string layer = std::string(3000, 'l');
  std::string config;
  std::string manifest;
  std::string index;

  Node() { pull("1"); }

  std::string put(const std::string& content) const {
    scratch.write(k_blobs + hex_of(content), content);
    return hex_of(content);
  }
  static std::string descriptor(const std::string& hex) {
    return R"({"digest":"sha256:)" + hex + R"("})";
  }
  void pull(const std::string& version) {
    config = R"({"rootfs":{},"version":")" + version + "\"}";
    manifest = R"({"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":)" +
               descriptor(put(config)) + R"(,"layers":[)" + descriptor(put(layer)) + "," +
               descriptor(put(layer)) + "]}";
    index = R"({"manifests":[)" + descriptor(std::string(64, 'a')) + "," +
            descriptor(put(manifest)) + "]}";
    put(index);
    put("not JSON");
  }
  [[nodiscard]] Status keep(const std::string& id, std::stop_token stop = {}) {
    return keep_image(
        directory, scratch.path("data"), {"railiance/backup:1", id}, 0, key, std::move(stop));
  }
  [[nodiscard]] set::FileTrust trust() {
    const sign::PublicKey own = key.public_key();
    return set::judge_signed_file(directory, set::k_image_name, std::span(&own, 1)).trust;
  }
  [[nodiscard]] ino_t inode() const {
    struct ::stat status {};
    REQUIRE(::lstat(scratch.path(k_archive).c_str(), &status) == 0);
    return status.st_ino;
  }
};

} // namespace

TEST_CASE("the image is found by its index, its manifest and its configuration, and signed") {
  for (const std::string Node::*named : {&Node::index, &Node::manifest, &Node::config}) {
    Node node;
    const std::string id = "docker.io/railiance/backup@sha256:" + hex_of(node.*named);
    REQUIRE(node.keep(id));
    CHECK(node.trust() == set::FileTrust::genuine);
    const std::string archive = node.scratch.read(k_archive);
    CHECK(archive.size() % 512 == 0);
    CHECK(archive.find("\"io.containerd.image.name\":\"docker.io/railiance/backup:1\"") !=
          std::string::npos);
    CHECK(archive.find("\"sha256:" + hex_of(node.manifest) + "\"") != std::string::npos);
    for (const std::string& part : {node.manifest, node.config, node.layer}) {
      CHECK(archive.find("blobs/sha256/" + hex_of(part)) != std::string::npos);
      CHECK(archive.find(part) != std::string::npos);
    }
  }
}

TEST_CASE("stock tar reads the archive, and each blob is what its name says") {
  Node node;
  REQUIRE(node.keep("sha256:" + hex_of(node.manifest)));
  const std::string to = node.scratch.path("unpacked");
  std::filesystem::create_directories(to);
  REQUIRE(std::system(("tar -xf " + node.scratch.path(k_archive) + " -C " + to).c_str()) == 0);
  CHECK(node.scratch.read("unpacked/oci-layout") == R"({"imageLayoutVersion":"1.0.0"})");
  std::size_t blobs = 0;
  for (const auto& blob : std::filesystem::directory_iterator(to + "/blobs/sha256")) {
    ++blobs;
    const std::string name = blob.path().filename().string();
    CHECK(hex_of(node.scratch.read("unpacked/blobs/sha256/" + name)) == name);
  }
  CHECK(blobs == 3); // the layer that is there twice comes once
}

TEST_CASE("the archive is written once for each version, and again when somebody changed it") {
  Node node;
  REQUIRE(node.keep("sha256:" + hex_of(node.index)));
  const ino_t first = node.inode();
  REQUIRE(node.keep("sha256:" + hex_of(node.config)));
  CHECK(node.inode() == first);
  std::string changed = node.scratch.read(k_archive);
  changed[changed.size() - 2000] ^= 1;
  node.scratch.write(k_archive, changed);
  CHECK(node.trust() == set::FileTrust::tampered);
  REQUIRE(node.keep("sha256:" + hex_of(node.index)));
  CHECK(node.trust() == set::FileTrust::genuine);
  node.pull("2");
  REQUIRE(node.keep("sha256:" + hex_of(node.index)));
  CHECK(node.scratch.read(k_archive).find("\"version\":\"2\"") != std::string::npos);
  CHECK(node.trust() == set::FileTrust::genuine);
}

TEST_CASE("an image of which a part is missing, changed or odd is said, and the old one stays") {
  Node node;
  REQUIRE(node.keep("sha256:" + hex_of(node.index)));
  const std::string before = node.scratch.read(k_archive);
  const std::string layer = node.scratch.path(k_blobs + hex_of(node.layer));
  node.pull("2");
  const std::string id = "sha256:" + hex_of(node.index);
  std::filesystem::remove(layer);
  CHECK(node.keep(id).error().code == ErrorCode::not_found);
  node.scratch.write(k_blobs + hex_of(node.layer), std::string(3000, 'x'));
  CHECK(node.keep(id).error().code == ErrorCode::corrupt);
  std::stop_source stopped;
  stopped.request_stop();
  CHECK(node.keep(id, stopped.get_token()).error().code == ErrorCode::cancelled);
  for (const char* const odd : {"", "sha256:", "sha256:../../etc/passwd", "docker.io/x:1"}) {
    CAPTURE(odd);
    CHECK(node.keep(odd).error().code == ErrorCode::unsupported);
  }
  CHECK(node.scratch.read(k_archive) == before);
  CHECK(node.trust() == set::FileTrust::genuine);
  CHECK_FALSE(node.scratch.exists(std::string(k_archive) + ".part"));
}

TEST_CASE("where k3s has no containerd of its own, that is said, not a file that is missing") {
  Node node;
  std::filesystem::remove_all(node.scratch.path("data/agent/containerd"));
  const Status kept = node.keep("docker-pullable://r/backup@sha256:" + hex_of(node.index));
  REQUIRE_FALSE(kept);
  CHECK(kept.error().message.find("container-runtime-endpoint") != std::string::npos);
  CHECK(kept.error().message.find("registry") != std::string::npos);
}

TEST_CASE("a disk without room for it and the next set keeps what it has") {
  Node node;
  const Status kept = keep_image(node.directory,
                                 node.scratch.path("data"),
                                 {"a:1", "sha256:" + hex_of(node.index)},
                                 std::uint64_t{1} << 60U,
                                 node.key,
                                 {});
  REQUIRE_FALSE(kept);
  CHECK(kept.error().code == ErrorCode::no_space);
  CHECK_FALSE(node.scratch.exists(k_archive));
}

TEST_CASE("names of images as containerd knows them") {
  CHECK(full_image_name("backup") == "docker.io/library/backup:latest");
  CHECK(full_image_name("railiance/backup:1") == "docker.io/railiance/backup:1");
  CHECK(full_image_name("localhost/backup:1") == "localhost/backup:1");
  CHECK(full_image_name("registry:5000/backup") == "registry:5000/backup:latest");
  CHECK(full_image_name("ghcr.io/r/backup:1@sha256:ab") == "ghcr.io/r/backup@sha256:ab");
}

TEST_CASE("only an image that the host signed is copied to where it takes effect") {
  Node node;
  REQUIRE(node.keep("sha256:" + hex_of(node.index)));
  node.scratch.make_directory("images");
  const auto images = set::Directory::open_existing(node.scratch.path("images"));
  const sign::PublicKey own = node.key.public_key();
  const sign::PublicKey other = sign::SigningKey::generate().value().public_key();
  const auto copy = [&](const sign::PublicKey& trusted) {
    DurableOrder order;
    order.name = "image.tar";
    return set::copy_genuine_file(
        node.directory, set::k_image_name, std::span(&trusted, 1), images->fs(), order);
  };
  CHECK(copy(other).error().code == ErrorCode::corrupt);
  CHECK(std::filesystem::is_empty(node.scratch.path("images")));
  REQUIRE(copy(own));
  CHECK(node.scratch.read("images/image.tar") == node.scratch.read(k_archive));
}

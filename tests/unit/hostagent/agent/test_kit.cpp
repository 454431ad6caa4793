// The kit beside the artifacts: current, whole, and never in place of what is not ours.
#include "agent/kit.hpp"
#include "set/signed_files.hpp"
#include "support/scratch.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

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

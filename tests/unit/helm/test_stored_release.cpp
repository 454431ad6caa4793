#include "support/helm_records.hpp"

#include "helm/stored_release.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::helm;
using test::stored;

namespace {

StoredRelease unlabelled(std::string object_name) {
  return {.name_space = "ns", .object_name = std::move(object_name), .labels = {}};
}

} // namespace

TEST_CASE("labels tell the release and its revision, as they do for helm get") {
  StoredRelease object = stored("ns", "app", 3);
  object.object_name = "renamed";
  const auto key = release_key(object);
  REQUIRE(key.has_value());
  CHECK(key->name_space == "ns");
  CHECK(key->name == "app");
  CHECK(key->revision == 3);
  CHECK(object.storage_object() == "secret/renamed");
}

TEST_CASE("what the labels don't tell comes from the object's name") {
  auto key = release_key(unlabelled("sh.helm.release.v1.app.v12"));
  REQUIRE(key.has_value());
  CHECK(key->name == "app");
  CHECK(key->revision == 12);

  key = release_key(unlabelled("sh.helm.release.v1.a.v1.b.v2.v30"));
  REQUIRE(key.has_value());
  CHECK(key->name == "a.v1.b.v2");
  CHECK(key->revision == 30);

  StoredRelease odd = unlabelled("sh.helm.release.v1.app.v7");
  odd.labels = {{"name", ""}, {"version", "seven"}};
  key = release_key(odd);
  REQUIRE(key.has_value());
  CHECK(key->name == "app");
  CHECK(key->revision == 7);
}

TEST_CASE("an object that tells neither is an error, not a guess") {
  for (const char* name : {"",
                           "app",
                           "sh.helm.release.v1.",
                           "sh.helm.release.v1.app",
                           "sh.helm.release.v1.app.v",
                           "sh.helm.release.v1.app.v0",
                           "sh.helm.release.v1.app.v-1",
                           "sh.helm.release.v1.app.v1x",
                           "sh.helm.release.v1.app.v99999999999999999999",
                           "sh.helm.release.v1..v1"}) {
    CAPTURE(name);
    const auto key = release_key(unlabelled(name));
    REQUIRE_FALSE(key.has_value());
    CHECK(key.error().code == ErrorCode::incomplete);
  }
}

TEST_CASE("the newest revision of each release is taken by number, whatever its status") {
  std::vector<StoredRelease> objects;
  for (const int revision : {9, 10, 1, 2}) {
    objects.push_back(stored("b", "app", revision));
  }
  objects[1].labels["status"] = "pending-upgrade";
  objects.push_back(stored("a", "app", 1));
  objects.push_back(stored("a", "other", 4));
  const std::vector<StoredRelease> newest = newest_revisions(objects);
  REQUIRE(newest.size() == 3);
  CHECK(newest[0].object_name == "sh.helm.release.v1.app.v1");
  CHECK(newest[0].name_space == "a");
  CHECK(newest[1].object_name == "sh.helm.release.v1.other.v4");
  CHECK(newest[2].object_name == "sh.helm.release.v1.app.v10");
  CHECK(newest[2].name_space == "b");
}

TEST_CASE("a release in Secrets and one of the same name in ConfigMaps are two") {
  const std::vector<StoredRelease> newest =
      newest_revisions({stored("ns", "app", 2, StorageKind::config_map),
                        stored("ns", "app", 5, StorageKind::secret)});
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].storage_object() == "secret/sh.helm.release.v1.app.v5");
  CHECK(newest[1].storage_object() == "configmap/sh.helm.release.v1.app.v2");
}

TEST_CASE("an object that can't be told apart is read, too, and hides nothing") {
  const std::vector<StoredRelease> newest =
      newest_revisions({unlabelled("odd"), stored("ns", "app", 1), unlabelled("odder")});
  REQUIRE(newest.size() == 3);
  CHECK(newest[0].storage_object() == "secret/sh.helm.release.v1.app.v1");
  CHECK(newest[1].storage_object() == "secret/odd");
  CHECK(newest[2].storage_object() == "secret/odder");
  CHECK(release_key(newest[1]).error().message ==
        "missing field: neither labels nor object name tell the release and its revision");
}

TEST_CASE("two objects of one revision: the choice doesn't depend on the order") {
  StoredRelease first = stored("ns", "app", 1);
  StoredRelease second = first;
  first.object_name = "a";
  second.object_name = "b";
  CHECK(newest_revisions({first, second}).at(0).object_name == "a");
  CHECK(newest_revisions({second, first}).at(0).object_name == "a");
}

TEST_CASE("a copy that somebody made before he edited the release is not taken for it") {
  StoredRelease copy = stored("ns", "app", 3);
  copy.object_name = "before-the-upgrade";
  const StoredRelease own = stored("ns", "app", 3);
  CHECK(newest_revisions({copy, own}).at(0).object_name == own.object_name);
  CHECK(newest_revisions({own, copy}).at(0).object_name == own.object_name);
  // Of another revision it is what its labels say.
  copy.labels["version"] = "4";
  CHECK(newest_revisions({own, copy}).at(0).object_name == "before-the-upgrade");
}

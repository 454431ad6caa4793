// What stays over there, and what goes.
#include "offsite_world.hpp"
#include "set/marks.hpp"
#include "set/names.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;
using World = rb::test::OffsiteWorld;

TEST_CASE("hourly kubeconfigs push out no etcd snapshot over there") {
  World world;
  for (int day = 1; day <= 12; ++day) {
    if (day % 4 == 0) {
      world.backups.add(day);
    } else {
      auto manifest = test::make_manifest(run_id_of_day(day));
      manifest.requested = {api::ArtifactType::kubeconfig};
      REQUIRE(test::store_set(world.backups.directory, manifest));
    }
  }
  world.visit();
  for (const auto& set : world.backups.sets()) { // the disk is new
    for (const auto& file : set.files) {
      REQUIRE(world.backups.directory.fs().remove(file.name));
    }
  }
  world.backups.add(13);
  world.visit(3);
  for (const int day : {8, 12, 13}) {
    CHECK(world.remote.files.contains("etcd-" + run_id_of_day(day) + ".snap.age"));
  }
  CHECK_FALSE(world.remote.files.contains("etcd-" + run_id_of_day(4) + ".snap.age"));
  const auto manifests = std::ranges::count_if(
      world.remote.files, [](const auto& file) { return file.first.starts_with("manifest-"); });
  CHECK(manifests == 6); // three of each
}

TEST_CASE("the set that the cluster was last restored from stays over there, too") {
  World world;
  for (int day = 1; day <= 4; ++day) {
    world.backups.add(day);
  }
  REQUIRE(set::write_last_restore(world.backups.directory, run_id_of_day(1), world.clock.now()));
  world.visit();
  for (const auto& set : world.backups.sets()) {
    for (const auto& file : set.files) {
      REQUIRE(world.backups.directory.fs().remove(file.name));
    }
  }
  world.backups.add(5);
  world.visit(2);
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(2) + ".json"));
}

TEST_CASE("old sets go over there only when told so") {
  World world;
  for (int day = 1; day <= 3; ++day) {
    world.backups.add(day);
  }
  world.visit();
  for (const auto& set : world.backups.sets()) {
    if (set.run_id != run_id_of_day(3)) {
      for (const auto& file : set.files) {
        REQUIRE(world.backups.directory.fs().remove(file.name));
      }
    }
  }
  world.backups.add(4);
  world.visit();
  CHECK(world.remote.files.size() == 20);
  world.backups.add(5);
  world.visit(3);
  CHECK(world.remote.files.size() == 15);
  CHECK(world.remote.names_of("remove").front() == "manifest-" + run_id_of_day(1) + ".json");
}

TEST_CASE("sets whose proof failed are copied, too, and push out none that is good") {
  World world;
  world.backups.add(1);
  world.visit();
  for (int day = 2; day <= 4; ++day) {
    world.backups.add_disproven(day);
    CHECK(world.visit().pending() == 0);
  }
  // Retention on the disk took all but the newest.
  for (const auto& set : world.backups.sets()) {
    for (const auto& file : set.files) {
      REQUIRE(world.backups.directory.fs().remove(file.name));
    }
  }
  world.backups.add_disproven(5);
  CHECK(world.visit(2).pending() == 0);
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(3) + ".json"));
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(4) + ".json"));
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(5) + ".json"));
}

TEST_CASE(
    "sets that somebody planted over there push out none of the host's, nor keep any from coming") {
  World world;
  world.know_key();
  for (int day = 1; day <= 3; ++day) {
    world.backups.add_signed(day);
  }
  CHECK(world.visit(3).pending() == 0);
  for (const auto& set : world.backups.sets()) { // the disk is new
    for (const auto& file : set.files) {
      REQUIRE(world.backups.directory.fs().remove(file.name));
    }
  }
  // Whole by their own manifests, newer than any, and one of a day that is still to come.
  for (const int day : {20, 21, 22, 23, 60}) {
    world.copy_from("cp-2", day);
  }
  world.backups.add_signed(4);
  world.clock.time += std::chrono::hours(7);
  const View view = world.visit(3);
  CHECK(view.pending() == 0);
  CHECK(view.replicated() == 1);
  for (const int day : {2, 3, 4}) {
    CHECK(world.remote.files.contains("manifest-" + run_id_of_day(day) + ".json"));
  }
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
}

TEST_CASE("after a failover two servers that share a directory come to rest") {
  World world;
  for (int day = 1; day <= 3; ++day) {
    world.backups.add(day);
  }
  CHECK(world.visit(3).pending() == 0);
  // cp-2 has taken over, and its retention looks at its own disk.
  for (int day = 4; day <= 6; ++day) {
    world.copy_from("cp-2", day);
  }
  std::erase_if(world.remote.files, [](const auto& file) {
    return set::classify_name(file.first).run_id < run_id_of_day(4);
  });
  const auto theirs = world.remote.files;
  world.remote.calls.clear();
  world.clock.time += std::chrono::hours(6);
  const View view = world.visit(3);
  CHECK(view.pending() == 0);
  CHECK_FALSE(view.trouble);
  CHECK(view.replicated() == 0);
  CHECK(world.remote.names_of("put").empty());
  CHECK(world.remote.files == theirs);
  world.remote.calls.clear();
  world.clock.time += std::chrono::hours(1);
  CHECK(world.visit(3).pending() == 0);
  CHECK(world.remote.calls.empty());

  // It makes the next set: that one is sent.
  world.backups.add(7);
  world.clock.time += std::chrono::hours(1);
  CHECK(world.visit(3).pending() == 0);
  CHECK(world.remote.files.contains("manifest-" + run_id_of_day(7) + ".json"));
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(3) + ".json"));
  CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(4) + ".json"));
}

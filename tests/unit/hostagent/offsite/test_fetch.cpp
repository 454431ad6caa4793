// What comes back from a remote.
#include "offsite/copy_set.hpp"
#include "offsite/remote_store.hpp"
#include "offsite_world.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;
using World = rb::test::OffsiteWorld;

TEST_CASE("a remote is listed as a disk is, and a set of it fetched whole") {
  World world;
  world.backups.add(1);
  world.backups.add(2);
  world.visit();
  world.remote.files["etcd-" + run_id_of_day(2) + ".snap.age"] += "x";
  auto listing = open_remote(world.remote, {});
  REQUIRE(listing);
  const auto sets = set::list_sets(*listing).value();
  REQUIRE(sets.size() == 2);
  CHECK(sets[0].state == set::SetState::damaged);
  CHECK(sets[1].state == set::SetState::complete);

  test::Backups bare;
  const auto fetched =
      fetch_set(bare.directory, world.remote, *listing, sets[1], [](const std::string&) {}, {});
  REQUIRE(fetched);
  CHECK(fetched->files.size() == 5);
  CHECK(fetched->present.empty());
  REQUIRE(bare.sets().size() == 1);
  CHECK(bare.sets()[0].state == set::SetState::complete);

  const auto damaged =
      fetch_set(bare.directory, world.remote, *listing, sets[0], [](const std::string&) {}, {});
  REQUIRE_FALSE(damaged);
  CHECK(damaged.error().code == ErrorCode::corrupt);
  CHECK(damaged.error().message.find("size differs") != std::string::npos);
}

TEST_CASE("the image of the kit goes off-site, and comes along with a set for a bare host") {
  World world;
  world.know_key();
  world.backups.add_signed(1);
  world.put_signed("railiance-backup-image.tar", "the image");
  world.visit();
  CHECK(world.remote.files.at("railiance-backup-image.tar") == "the image");
  auto listing = open_remote(world.remote, {}).value();
  const auto sets = set::list_sets(listing).value();
  const auto fetch = [&](const std::string& path) {
    auto to = set::Directory::open(path).value();
    return fetch_set(to, world.remote, listing, sets.front(), [](const std::string&) {}, {});
  };
  const std::string bare = world.backups.temporary.file("bare");
  auto fetched = fetch(bare);
  REQUIRE(fetched);
  CHECK_FALSE(fetched->no_image);
  CHECK(test::read_file(bare + "/railiance-backup-image.tar") == "the image");
  auto there = set::Directory::open(bare).value();
  const sign::PublicKey key = world.backups.key.public_key();
  const auto judged = set::judge_signed_file(there, set::k_image_name, std::span(&key, 1));
  CHECK(judged.trust == set::FileTrust::genuine);

  // Too large a one is a word, and the set comes all the same.
  world.remote.listed_as["railiance-backup-image.tar"] = std::uint64_t{1} << 40U;
  fetched = fetch(world.backups.temporary.file("other"));
  REQUIRE(fetched);
  REQUIRE(fetched->no_image);
  CHECK(fetched->no_image->message.find("too large") != std::string::npos);
  CHECK(fetched->files.size() == 6);
}

TEST_CASE("manifests of a remote pass through a directory of TMPDIR that is gone afterwards") {
  World world;
  world.backups.add(1);
  world.visit();
  const test::TemporaryDirectory temporary;
  const char* const before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  const auto opened_with = [&](const std::string& directory) {
    ::setenv("TMPDIR", directory.c_str(), 1);
    const auto listing = open_remote(world.remote, {});
    CHECK(listing.has_value());
    CHECK(!std::filesystem::exists(world.remote.manifests_path));
    return world.remote.manifests_path;
  };
  CHECK(opened_with(temporary.path()).starts_with(temporary.path() + "/railiance-remote-"));
  CHECK(opened_with(temporary.file("none")).starts_with("/tmp/railiance-remote-"));
  if (before == nullptr) {
    ::unsetenv("TMPDIR");
  } else {
    ::setenv("TMPDIR", old.c_str(), 1);
  }
}

TEST_CASE("the catalogue of a remote comes some at a time, and a remote that lies fills nothing") {
  test::FakeRemote remote;
  for (int day = 1; day <= 20; ++day) {
    remote.files["manifest-" + test::run_id_of_day(day) + ".json"] = std::string(1U << 20U, 'x');
  }
  SUBCASE("all of it is there in the end") {
    auto listing = open_remote(remote, {});
    REQUIRE(listing);
    CHECK(remote.largest_batch_bytes <= k_batch_limit_bytes);
    CHECK(std::ranges::count(remote.calls, "get_small") > 1);
    for (const auto& [name, content] : remote.files) {
      CHECK(set::read_text(*listing, name, 2U << 20U).value_or("") == content);
    }
  }
  SUBCASE("a manifest that is absurdly large is not fetched") {
    const std::string name = remote.files.begin()->first;
    remote.listed_as[name] = 5U << 20U;
    auto listing = open_remote(remote, {});
    REQUIRE(listing);
    CHECK_FALSE(set::read_text(*listing, name, 2U << 20U));
  }
  SUBCASE("of too many the newest are looked at, and those that are named") {
    for (const auto& [name, content] : remote.files) {
      remote.listed_as[name] = 4U << 20U;
    }
    const std::string oldest = test::run_id_of_day(1);
    remote.files["etcd-" + oldest + ".snap.age"] = "x";
    remote.files["foreign"] = "x";
    const auto runs_of = [](RemoteListing& listing) {
      std::set<std::string> names;
      const auto entries = listing.directory.fs().list().value();
      for (const DirectoryEntry& entry : entries) {
        names.insert(entry.name);
      }
      return names;
    };
    auto newest = read_remote(remote, {}, {});
    REQUIRE(newest);
    CHECK(newest->left_out == 5);
    CHECK(runs_of(*newest).size() == 16);
    CHECK(runs_of(*newest).contains("foreign"));
    CHECK(runs_of(*newest).contains("manifest-" + test::run_id_of_day(20) + ".json"));
    CHECK_FALSE(runs_of(*newest).contains("manifest-" + test::run_id_of_day(5) + ".json"));
    CHECK_FALSE(runs_of(*newest).contains("etcd-" + oldest + ".snap.age"));

    auto named = read_remote(remote, {{oldest}}, {});
    REQUIRE(named);
    CHECK(named->left_out == 5);
    CHECK(runs_of(*named).contains("etcd-" + oldest + ".snap.age"));
    CHECK_FALSE(runs_of(*named).contains("manifest-" + test::run_id_of_day(6) + ".json"));

    auto alone = read_remote(remote, {{oldest}, false}, {});
    REQUIRE(alone);
    CHECK(alone->left_out == 0);
    CHECK(runs_of(*alone).size() == 3);
  }
  SUBCASE("public keys without end are refused") {
    for (char digit = 'A'; digit <= 'F'; ++digit) {
      for (char other = 'A'; other <= 'D'; ++other) {
        const std::string name = "railiance-backup-" + std::string(15, digit) + other + ".pub";
        remote.files[name] = "x";
        remote.listed_as[name] = 4U << 20U;
      }
    }
    const auto listing = open_remote(remote, {});
    REQUIRE_FALSE(listing);
    CHECK(listing.error().code == ErrorCode::unsupported);
    CHECK(listing.error().hint.find("docs/offsite.md") != std::string::npos);
    CHECK(std::ranges::count(remote.calls, "get_small") == 0);
  }
  SUBCASE("more comes than was listed") {
    for (int day = 1; day <= 20; ++day) {
      const std::string name = "manifest-" + test::run_id_of_day(day) + ".json";
      remote.files[name] = std::string(4U << 20U, 'x');
      remote.listed_as[name] = 1000;
    }
    const auto listing = open_remote(remote, {});
    REQUIRE_FALSE(listing);
    CHECK(listing.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("fetch replaces nothing") {
  World world;
  world.backups.add(1);
  world.visit();
  auto listing = open_remote(world.remote, {});
  const auto sets = set::list_sets(*listing).value();
  test::Backups bare;
  const std::string taken = "etcd-" + run_id_of_day(1) + ".snap.age";
  test::write_file(bare.directory.path() + "/" + taken, "mine");
  const auto fetched =
      fetch_set(bare.directory, world.remote, *listing, sets[0], [](const std::string&) {}, {});
  REQUIRE_FALSE(fetched);
  CHECK(fetched.error().code == ErrorCode::already_exists);
  CHECK(test::read_file(bare.directory.path() + "/" + taken) == "mine");
}

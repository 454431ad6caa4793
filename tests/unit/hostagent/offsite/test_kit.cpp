// What lies beside the sets and is copied with them: program, guide, and the host's public keys.
#include "offsite/copy_set.hpp"
#include "offsite/remote_store.hpp"
#include "offsite_world.hpp"
#include "set/names.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;
using World = rb::test::OffsiteWorld;

TEST_CASE("the kit is sent once, with its signatures, and again when it changed") {
  World world;
  world.know_key();
  world.backups.add_signed(1);
  world.put_signed("RESTORE.md", "one\n");
  world.visit();
  CHECK(world.remote.files.at("RESTORE.md") == "one\n");
  CHECK(world.remote.files.contains("RESTORE.md.minisig"));
  world.put_signed("RESTORE.md", "two\n");
  world.backups.add_signed(2);
  world.visit();
  CHECK(world.remote.files.at("RESTORE.md") == "two\n");
  CHECK(world.remote.files.at("RESTORE.md.minisig") ==
        test::read_file(world.backups.directory.path() + "/RESTORE.md.minisig"));
}

TEST_CASE("what the host's key does not vouch for is not sent, and said") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  world.put_signed("RESTORE.md", "ours\n");
  world.put_signed("railiance-restore", "ours");
  const std::string directory = world.backups.directory.path();
  SUBCASE("a replaced program") {
    test::write_file(directory + "/railiance-restore", "theirs");
    const View view = world.visit();
    CHECK_FALSE(world.remote.files.contains("railiance-restore"));
    CHECK(world.remote.files.contains("RESTORE.md"));
    CHECK(view.pending() == 0); // the set is over there all the same
    REQUIRE(view.trouble);
    CHECK(view.trouble->reason == api::Reason::verification_failed);
    CHECK(view.trouble->message.find("railiance-restore: not copied") != std::string::npos);
  }
  SUBCASE("a replaced public key") {
    test::write_file(directory + "/railiance-backup.pub",
                     sign::SigningKey::generate().value().public_key().file());
    world.visit();
    CHECK_FALSE(world.remote.files.contains("railiance-backup.pub"));
  }
  SUBCASE("a planted set: it would push the host's own out over there") {
    world.backups.add(5);
    const View view = world.visit(1);
    CHECK_FALSE(world.remote.files.contains("manifest-" + run_id_of_day(5) + ".json"));
    CHECK(world.remote.files.contains("manifest-" + run_id_of_day(1) + ".json"));
    CHECK_FALSE(view.sets.contains(run_id_of_day(5)));
  }
  SUBCASE("nothing is known of the host's key yet") {
    REQUIRE(std::filesystem::remove(world.key_file));
    world.visit();
    CHECK_FALSE(world.remote.files.contains("RESTORE.md"));
    CHECK_FALSE(world.remote.files.contains("railiance-backup.pub"));
  }
}

TEST_CASE("a part of the kit that was not sent is tried again after the pause") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  world.put_signed("RESTORE.md", "ours\n");
  test::write_file(world.backups.directory.path() + "/RESTORE.md", "theirs\n");
  CHECK(world.visit().trouble);
  world.put_signed("RESTORE.md", "ours\n");
  world.clock.time += std::chrono::seconds(30);
  CHECK_FALSE(world.visit().trouble);
  CHECK(world.remote.files.at("RESTORE.md") == "ours\n");
}

TEST_CASE(
    "the key that the host had before is sent where sets over there need it, and comes back") {
  World world;
  world.backups.add_signed(1);
  world.know_key();
  world.visit();
  // The host was set up anew: its agent keeps the old public key under the name of its id.
  const std::string directory = world.backups.directory.path();
  const sign::PublicKey old = world.backups.key.public_key();
  const std::string old_name = set::old_public_key_name(sign::to_string(old.id()));
  test::write_file(directory + "/" + old_name, old.file());
  const sign::PublicKey planted = sign::SigningKey::generate().value().public_key();
  const std::string planted_name = set::old_public_key_name(sign::to_string(planted.id()));
  test::write_file(directory + "/" + planted_name, planted.file());
  world.backups.key = sign::SigningKey::generate().value();
  world.know_key();
  world.backups.add_signed(2);
  CHECK_FALSE(world.visit().trouble);
  REQUIRE(world.remote.files.contains(old_name));
  CHECK(world.remote.files.at(old_name) == old.file());
  CHECK_FALSE(world.remote.files.contains(planted_name)); // no set over there is of it

  auto listing = open_remote(world.remote, {}).value();
  const auto sets = set::list_sets(listing).value();
  auto to = set::Directory::open(world.backups.temporary.file("bare")).value();
  REQUIRE(sets.back().run_id == run_id_of_day(1));
  REQUIRE(fetch_set(to, world.remote, listing, sets.back(), [](const std::string&) {}, {}));
  CHECK(test::read_file(to.path() + "/" + old_name) == old.file());
  CHECK(test::read_file(to.path() + "/railiance-backup.pub") ==
        world.backups.key.public_key().file());
}

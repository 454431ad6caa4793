// What lies beside the sets and is copied with them: program, guide, and the host's public keys.
#include "offsite/copy_set.hpp"
#include "offsite/kit.hpp"
#include "offsite_world.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using namespace rb::offsite;
using rb::test::run_id_of_day;

namespace {

struct World : test::OffsiteWorld {
  State state;

  World() { backups.add_signed(1); }

  [[nodiscard]] std::string path(const std::string& name) const {
    return backups.directory.path() + "/" + name;
  }
  /// By the key that the host has now; `keys` false: it is not known yet.
  Status send(bool known = true) {
    std::vector<sign::PublicKey> keys;
    if (known) {
      keys.push_back(backups.key.public_key());
    }
    remote.calls.clear();
    const auto there = remote.list({}).value();
    return send_kit({remote, there, backups.directory, keys, state, {}});
  }
  [[nodiscard]] bool sent(const std::string& name) const { return remote.files.contains(name); }

  /// The public key as the agent keeps it once the host has another one; the name.
  std::string keep(const sign::PublicKey& key) {
    const std::string name = set::old_public_key_name(sign::to_string(key.id()));
    test::write_file(path(name), key.file());
    return name;
  }
  /// The host was set up anew, and has made a set since then.
  void get_another_key() {
    backups.key = sign::SigningKey::generate().value();
    know_key();
    backups.add_signed(2);
  }
};

sign::PublicKey any_key() {
  return sign::SigningKey::generate().value().public_key();
}

} // namespace

TEST_CASE("the kit is sent once, with its signatures, and again when it changed") {
  World world;
  world.put_signed("RESTORE.md", "one\n");
  world.put_signed("railiance-restore", "the program");
  REQUIRE(world.send());
  CHECK(world.remote.names_of("put") == std::vector<std::string>{"RESTORE.md",
                                                                 "RESTORE.md.minisig",
                                                                 "railiance-restore",
                                                                 "railiance-restore.minisig",
                                                                 "railiance-backup.pub"});
  CHECK(world.remote.files.at("RESTORE.md") == "one\n");
  REQUIRE(world.send());
  CHECK(world.remote.calls == std::vector<std::string>{"list"});

  world.put_signed("RESTORE.md", "two\n"); // of the same size
  REQUIRE(world.send());
  CHECK(world.remote.names_of("put") ==
        std::vector<std::string>{"RESTORE.md", "RESTORE.md.minisig"});
  CHECK(world.remote.files.at("RESTORE.md") == "two\n");
  CHECK(world.remote.files.at("RESTORE.md.minisig") ==
        test::read_file(world.path("RESTORE.md.minisig")));

  world.remote.files.erase("railiance-restore"); // somebody removed it over there
  REQUIRE(world.send());
  CHECK(world.remote.names_of("put") == std::vector<std::string>{"railiance-restore"});
}

TEST_CASE("what the host's key does not vouch for is not sent, and said") {
  World world;
  world.put_signed("RESTORE.md", "ours\n");
  world.put_signed("railiance-restore", "ours");
  SUBCASE("a replaced program") {
    test::write_file(world.path("railiance-restore"), "theirs");
    const Status refused = world.send();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::corrupt);
    CHECK(refused.error().message.find("railiance-restore: not copied") != std::string::npos);
    CHECK_FALSE(world.sent("railiance-restore"));
    CHECK_FALSE(world.sent("railiance-restore.minisig"));
    CHECK(world.sent("RESTORE.md"));
    CHECK(world.sent("railiance-backup.pub"));
  }
  SUBCASE("a replaced guide, which comes first, holds up nothing") {
    test::write_file(world.path("RESTORE.md"), "theirs\n");
    CHECK_FALSE(world.send());
    CHECK_FALSE(world.sent("RESTORE.md"));
    CHECK(world.sent("railiance-restore"));
  }
  SUBCASE("a replaced public key: no other key of the directory is sent, either") {
    world.keep(world.backups.key.public_key());
    test::write_file(world.path("railiance-backup.pub"), any_key().file());
    CHECK(world.send());
    CHECK(world.sent("RESTORE.md"));
    CHECK(std::ranges::none_of(world.remote.files,
                               [](const auto& file) { return file.first.ends_with(".pub"); }));
  }
  SUBCASE("nothing is known of the host's key yet") {
    CHECK(world.send(false));
    CHECK(world.remote.files.empty());
  }
}

TEST_CASE("a file that the agent is just replacing waits") {
  World world;
  world.put_signed("RESTORE.md", "ours\n");
  world.put_signed("railiance-restore", "ours");
  test::write_file(world.path("RESTORE.md.minisig.next"), "of the next one");
  CHECK(world.send());
  CHECK_FALSE(world.sent("RESTORE.md"));
  CHECK(world.sent("railiance-restore"));
  std::filesystem::remove(world.path("RESTORE.md.minisig.next"));
  CHECK(world.send());
  CHECK(world.sent("RESTORE.md"));
}

TEST_CASE(
    "the key that the host had before is sent where sets over there need it, and comes back") {
  World world;
  world.know_key();
  world.visit();
  const sign::PublicKey old = world.backups.key.public_key();
  const std::string old_name = world.keep(old);
  const std::string planted_name = world.keep(any_key());
  world.get_another_key();
  CHECK_FALSE(world.visit().trouble);
  REQUIRE(world.sent(old_name));
  CHECK(world.remote.files.at(old_name) == old.file());
  CHECK_FALSE(world.sent(planted_name)); // no set over there is of it

  auto listing = open_remote(world.remote, {}).value();
  const auto sets = set::list_sets(listing).value();
  auto to = set::Directory::open(world.backups.temporary.file("bare")).value();
  REQUIRE(sets.back().run_id == run_id_of_day(1));
  REQUIRE(fetch_set(to, world.remote, listing, sets.back(), [](const std::string&) {}, {}));
  CHECK(test::read_file(to.path() + "/" + old_name) == old.file());
  CHECK(test::read_file(to.path() + "/railiance-backup.pub") ==
        world.backups.key.public_key().file());
}

TEST_CASE("the catalogue over there is read only while an old key is not there") {
  World world;
  world.know_key();
  world.visit();
  const std::string name = world.keep(world.backups.key.public_key());
  world.get_another_key();
  const auto reads = [&] {
    REQUIRE(world.send());
    return std::ranges::count(world.remote.calls, "get_small");
  };
  CHECK(reads() == 1);
  CHECK(world.sent(name));
  CHECK(reads() == 0);
  world.remote.files.erase(name);
  CHECK(reads() == 1);
  CHECK(world.sent(name));
  world.state = {}; // what is there may be anything of that size
  world.remote.files.at(name).back() = 'x';
  CHECK(reads() == 1);
  CHECK(world.remote.files.at(name) == test::read_file(world.path(name)));
}

TEST_CASE("an old key that is not as the agent keeps one is none") {
  World world;
  world.know_key();
  world.visit();
  const sign::PublicKey old = world.backups.key.public_key();
  const std::string name = world.keep(old);
  SUBCASE("more stands in it than the key") {
    test::write_file(world.path(name), old.file() + "\n");
  }
  SUBCASE("it is another key's name") {
    std::filesystem::rename(world.path(name),
                            world.path(set::old_public_key_name("0123456789ABCDEF")));
  }
  SUBCASE("it is a link to one") {
    std::filesystem::rename(world.path(name), world.path("elsewhere"));
    std::filesystem::create_symlink("elsewhere", world.path(name));
  }
  SUBCASE("it is no key") {
    test::write_file(world.path(name), std::string(5000, 'x'));
  }
  world.get_another_key();
  CHECK(world.send());
  CHECK(world.remote.names_of("put") == std::vector<std::string>{"railiance-backup.pub"});
}

// The host's key: made once, kept by itself, and not used where others could have had it.
#include "agent/host/host_key.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <thread>

using namespace rb;
using namespace rb::agent;
namespace fs = std::filesystem;

namespace {

struct Place {
  test::Scratch scratch;
  std::string dir = scratch.path("keys");
  std::string file = dir + "/signing.key";

  [[nodiscard]] Error refused() const {
    const auto key = host_key(dir);
    REQUIRE_FALSE(key);
    CHECK(key.error().message.starts_with(file));
    CHECK_FALSE(key.error().hint.empty());
    return key.error();
  }
};

unsigned mode_of(const std::string& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

} // namespace

TEST_CASE("the key is made at the first run, and is the same ever after") {
  const Place place;
  const auto first = host_key(place.dir);
  REQUIRE(first);
  CHECK(mode_of(place.dir) == 0700);
  CHECK(mode_of(place.file) == 0600);
  CHECK(place.scratch.read("keys/signing.pub") == first->public_key().file());
  CHECK(host_key(place.dir)->public_key() == first->public_key());
  // Besides both halves the public one once more, alone in a directory that others may be given.
  CHECK(std::distance(fs::directory_iterator(place.dir), fs::directory_iterator()) == 3);
  CHECK(place.scratch.read("keys/public/signing.pub") == first->public_key().file());
  CHECK(std::distance(fs::directory_iterator(place.dir + "/public"), fs::directory_iterator()) ==
        1);
  // The public half is made anew where it is not there.
  fs::remove(place.dir + "/signing.pub");
  REQUIRE(host_key(place.dir));
  CHECK(place.scratch.read("keys/signing.pub") == first->public_key().file());
}

TEST_CASE("what a crash left of a key in the making is no key") {
  const Place place;
  place.scratch.write("keys/signing.key.0123456789ABCDEF.part", "-----BEGIN PRIV");
  REQUIRE(host_key(place.dir));
  CHECK_FALSE(fs::exists(place.file + ".0123456789ABCDEF.part"));
}

TEST_CASE("two that begin at once end with one key") {
  for (int round = 0; round < 20; ++round) {
    const Place place;
    std::vector<std::string> lines(4);
    {
      std::vector<std::jthread> threads;
      for (std::string& line : lines) {
        threads.emplace_back([&] {
          // signing.pub is replaced by one after the other: its .part may be in the way.
          for (int tries = 0; tries < 50 && line.empty(); ++tries) {
            const auto key = host_key(place.dir);
            line = key ? key->public_key().line() : std::string();
          }
        });
      }
    }
    for (const std::string& line : lines) {
      CHECK(line == host_key(place.dir)->public_key().line());
    }
  }
}

TEST_CASE("a key that others could have had is not used") {
  const Place place;
  REQUIRE(host_key(place.dir));
  SUBCASE("readable for others") {
    fs::permissions(place.file, fs::perms(0640));
    CHECK(place.refused().code == ErrorCode::permission_denied);
  }
  SUBCASE("another user's") {
    if (::geteuid() == 0) {
      REQUIRE(::chown(place.file.c_str(), 65534, 65534) == 0);
      CHECK(place.refused().code == ErrorCode::permission_denied);
    }
  }
  SUBCASE("with a second name") {
    fs::create_hard_link(place.file, place.scratch.path("second"));
    CHECK(place.refused().code == ErrorCode::permission_denied);
  }
}

TEST_CASE("what is no key is refused and stays as it is") {
  const Place place;
  REQUIRE(host_key(place.dir));
  fs::remove(place.file);
  SUBCASE("a FIFO") {
    REQUIRE(::mkfifo(place.file.c_str(), 0600) == 0);
    CHECK(place.refused().code == ErrorCode::unsupported);
  }
  SUBCASE("a directory") {
    fs::create_directory(place.file);
    CHECK(place.refused().code == ErrorCode::unsupported);
  }
  SUBCASE("nonsense") {
    place.scratch.write("keys/signing.key", "no key, but secret");
    fs::permissions(place.file, fs::perms(0600));
    const Error error = place.refused();
    CHECK(error.code == ErrorCode::corrupt);
    CHECK(error.message.find("secret") == std::string::npos);
    CHECK(place.scratch.read("keys/signing.key") == "no key, but secret");
  }
}

TEST_CASE("a link in the place of the key's directory is not followed") {
  const test::Scratch scratch;
  scratch.make_directory("elsewhere");
  fs::create_symlink(scratch.path("elsewhere"), scratch.path("keys"));
  const auto key = host_key(scratch.path("keys"));
  REQUIRE_FALSE(key);
  CHECK(key.error().code == ErrorCode::unsupported);
  CHECK(fs::is_empty(scratch.path("elsewhere")));
}

TEST_CASE("the public key lies beside the artifacts; that of another key stays under its id") {
  const test::Scratch scratch;
  auto directory = set::Directory::open(scratch.path("backups")).value();
  const auto first = sign::SigningKey::generate().value().public_key();
  const auto second = sign::SigningKey::generate().value().public_key();
  CHECK_FALSE(publish_key(directory, first).value());
  CHECK_FALSE(publish_key(directory, first).value());
  CHECK(scratch.read("backups/railiance-backup.pub") == first.file());
  CHECK(publish_key(directory, second).value() == sign::to_string(first.id()));
  CHECK(scratch.read("backups/railiance-backup.pub") == second.file());
  CHECK(scratch.read("backups/railiance-backup-" + sign::to_string(first.id()) + ".pub") ==
        first.file());
  // What is no key is replaced, a link is, and not what it leads to.
  scratch.write("elsewhere", "mine");
  fs::remove(scratch.path("backups/railiance-backup.pub"));
  fs::create_symlink(scratch.path("elsewhere"), scratch.path("backups/railiance-backup.pub"));
  CHECK_FALSE(publish_key(directory, second).value());
  CHECK(scratch.read("elsewhere") == "mine");
  CHECK(scratch.read("backups/railiance-backup.pub") == second.file());
}

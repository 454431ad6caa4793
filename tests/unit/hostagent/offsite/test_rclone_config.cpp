#include "offsite/rclone_config.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <filesystem>

using namespace rb;
using rb::offsite::RcloneConfig;

namespace {

constexpr const char* k_secret = "[box]\ntype = box\ntoken = {\"refresh_token\":\"one\"}\n";
constexpr const char* k_renewed = "[box]\ntype = box\ntoken = {\"refresh_token\":\"two\"}\n";

} // namespace

TEST_CASE("rclone gets a copy of its own of rclone.conf, which nobody else can read") {
  const test::TemporaryDirectory temporary;
  const std::string source = temporary.file("rclone.conf");
  test::write_file(source, k_secret);
  const RcloneConfig config(source, "cp-1", temporary.file("state/rclone"));
  REQUIRE(config.refresh());
  CHECK(config.path() == temporary.file("state/rclone/rclone.conf"));
  CHECK(test::read_file(config.path()) == k_secret);
  CHECK(test::mode_of(config.path()) == "600");
  CHECK(test::mode_of(temporary.file("state/rclone")) == "700");

  // rclone has kept the next token, also over a restart.
  test::write_file(config.path(), k_renewed);
  REQUIRE(RcloneConfig(source, "cp-1", temporary.file("state/rclone")).refresh());
  CHECK(test::read_file(config.path()) == k_renewed);

  SUBCASE("the operator changed the Secret") {
    test::write_file(temporary.file("state/rclone/rclone.conf123"), k_renewed); // it was killed
    test::write_file(source, "[box]\ntype = webdav\n");
    REQUIRE(config.refresh());
    CHECK(test::read_file(config.path()) == "[box]\ntype = webdav\n");
    CHECK_FALSE(std::filesystem::exists(temporary.file("state/rclone/rclone.conf123")));
  }
  SUBCASE("the operator took it away, and gave it back") {
    std::filesystem::remove(source);
    REQUIRE(config.refresh());
    CHECK_FALSE(std::filesystem::exists(config.path()));
    test::write_file(source, k_secret);
    REQUIRE(config.refresh());
    CHECK(test::read_file(config.path()) == k_secret);
  }
  SUBCASE("the copy is gone") {
    std::filesystem::remove(config.path());
    REQUIRE(config.refresh());
    CHECK(test::read_file(config.path()) == k_secret);
  }
}

TEST_CASE("a server with a file of its own in the Secret has that, and no other server's") {
  const test::TemporaryDirectory temporary;
  const std::string source = temporary.file("rclone.conf");
  test::write_file(source, k_secret);
  test::write_file(temporary.file("rclone-cp-2.conf"), k_renewed);
  const RcloneConfig first(source, "cp-1", temporary.file("one"));
  const RcloneConfig second(source, "cp-2", temporary.file("two"));
  REQUIRE(first.refresh());
  REQUIRE(second.refresh());
  CHECK(first.source() == source);
  CHECK(test::read_file(first.path()) == k_secret);
  CHECK(test::read_file(second.path()) == k_renewed);

  // The shared one is another's concern.
  test::write_file(second.path(), "kept by rclone");
  test::write_file(source, "[box]\ntype = webdav\n");
  REQUIRE(second.refresh());
  CHECK(test::read_file(second.path()) == "kept by rclone");

  std::filesystem::remove(source);
  REQUIRE(second.refresh());
  CHECK(test::read_file(second.path()) == "kept by rclone");
  std::filesystem::remove(temporary.file("rclone-cp-2.conf"));
  REQUIRE(second.refresh());
  CHECK_FALSE(std::filesystem::exists(second.path()));
}

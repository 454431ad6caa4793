// Holds: plaintext lies in a directory that only its owner can read, and goes with the drill, at
// the latest with the next one.
#include "restore/proof/scratch_dir.hpp"
#include "support/temporary_directory.hpp"

#include <doctest/doctest.h>

#include <sys/mount.h>

#include <filesystem>
#include <optional>

namespace {

using namespace rb;
using namespace rb::proof;
using namespace rb::test;

std::size_t entries(const std::string& path) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(path), {}));
}

TEST_CASE("it is private, and gone with its owner") {
  const TemporaryDirectory parent;
  {
    auto scratch = ScratchDir::make(parent.path(), 1);
    REQUIRE(scratch.has_value());
    CHECK(mode_of(scratch->path()) == "700");
    write_file(scratch->path() + "/snapshot", "plain");
    CHECK(entries(parent.path()) == 1);
  }
  CHECK(entries(parent.path()) == 0);
}

TEST_CASE("what a killed drill left is removed, what a running one uses is not") {
  const TemporaryDirectory parent;
  std::filesystem::create_directories(parent.file("railiance-boot-killed/data"));
  std::filesystem::create_directories(parent.file("other"));
  auto first = ScratchDir::make(parent.path(), 1);
  REQUIRE(first.has_value());
  CHECK_FALSE(std::filesystem::exists(parent.file("railiance-boot-killed")));
  const auto second = ScratchDir::make(parent.path(), 1);
  REQUIRE(second.has_value());
  CHECK(std::filesystem::exists(first->path()));
  CHECK(std::filesystem::exists(parent.file("other")));
  CHECK(first->remove().has_value());
  CHECK(first->remove().has_value());
}

TEST_CASE("links are not followed") {
  const TemporaryDirectory parent;
  const TemporaryDirectory elsewhere;
  write_file(elsewhere.file("precious"), "x");
  std::filesystem::create_directory_symlink(elsewhere.path(), parent.file("railiance-boot-link"));
  {
    auto scratch = ScratchDir::make(parent.path(), 1);
    REQUIRE(scratch.has_value());
    std::filesystem::create_directory_symlink(elsewhere.path(), scratch->path() + "/link");
  }
  CHECK(read_file(elsewhere.file("precious")) == "x");
}

TEST_CASE("where no program may run no server is tried") {
  const TemporaryDirectory parent;
  if (::mount("tmpfs", parent.path().c_str(), "tmpfs", MS_NOEXEC, "size=1m") != 0) {
    return; // only root mounts
  }
  const auto scratch = ScratchDir::make(parent.path(), 1);
  const std::size_t left = entries(parent.path());
  ::umount2(parent.path().c_str(), MNT_DETACH);
  REQUIRE_FALSE(scratch.has_value());
  CHECK(scratch.error().message.find("mounted noexec") != std::string::npos);
  CHECK(scratch.error().hint.find("--scratch-dir") != std::string::npos);
  CHECK(left == 0);
}

TEST_CASE("too little space, too long a path or none") {
  const TemporaryDirectory parent;
  const auto full = ScratchDir::make(parent.path(), std::uint64_t{1} << 60U);
  REQUIRE_FALSE(full.has_value());
  CHECK(full.error().code == ErrorCode::no_space);
  CHECK(full.error().hint.find("--scratch-dir") != std::string::npos);
  CHECK(entries(parent.path()) == 0);
  const auto deep = ScratchDir::make("/" + std::string(80, 'x'), 1);
  REQUIRE_FALSE(deep.has_value());
  CHECK(deep.error().code == ErrorCode::invalid_argument);
  const auto relative = ScratchDir::make("tmp", 1);
  REQUIRE_FALSE(relative.has_value());
  CHECK(relative.error().code == ErrorCode::invalid_argument);
  const auto missing = ScratchDir::make(parent.file("missing"), 1);
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().code == ErrorCode::not_found);
}

} // namespace

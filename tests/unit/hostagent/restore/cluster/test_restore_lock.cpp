// Holds: the second restore on a host is told so, and the lock goes with its holder.
#include "restore/cluster/restore_lock.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

using namespace rb;
using cluster::RestoreLock;

TEST_CASE("one restore at a time") {
  const test::Scratch scratch;
  const std::string path = scratch.path("lock");
  {
    const auto first = RestoreLock::acquire(path);
    REQUIRE(first);
    const auto second = RestoreLock::acquire(path);
    REQUIRE_FALSE(second);
    CHECK(second.error().code == ErrorCode::busy);
    CHECK(second.error().message.find("nothing was changed") != std::string::npos);
  }
  CHECK(RestoreLock::acquire(path));
}

TEST_CASE("the lock follows no link") {
  const test::Scratch scratch;
  scratch.write("mine", "kept");
  std::filesystem::create_symlink(scratch.path("mine"), scratch.path("lock"));
  CHECK_FALSE(RestoreLock::acquire(scratch.path("lock")));
  CHECK(scratch.read("mine") == "kept");
}

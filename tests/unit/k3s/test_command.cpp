#include "k3s/command.hpp"

#include <doctest/doctest.h>

using namespace rb::k3s;

TEST_CASE("the version that k3s prints") {
  CHECK(version_in("k3s version v1.34.4+k3s1 (148243c4)\ngo version go1.24\n") == "v1.34.4+k3s1");
  CHECK(version_in("k3s version v1.34.4+standin\n") == "v1.34.4+standin");
  CHECK(version_in("").empty());
  CHECK(version_in("bash: k3s: command not found").empty());
}

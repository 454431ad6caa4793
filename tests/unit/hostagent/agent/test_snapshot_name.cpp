#include "agent/snapshot_name.hpp"

#include <doctest/doctest.h>

using namespace rb::agent;

TEST_CASE("a snapshot's name tells its run, node and state") {
  const auto name = parse_snapshot_name("railiance-20261122T115200Z-vm-1-1795348336");
  REQUIRE(name);
  CHECK(name->run_id == "20261122T115200Z");
  CHECK(name->node == "vm-1");
  CHECK_FALSE(name->compressed);
  CHECK_FALSE(name->partial);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1.zip")->compressed);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1.part")->partial);
  CHECK(parse_snapshot_name("railiance-20261122T115200Z-n-1.zip.part")->partial);
}

TEST_CASE("what is not exactly a name of ours is nobody's of ours") {
  for (const char* const name : {"",
                                 "railiance-",
                                 "etcd-snapshot-vm-1795348336",
                                 "on-demand-vm-1795348336",
                                 "railiance-20261122T115200Z",
                                 "railiance-20261122T115200Z-vm",
                                 "railiance-20261122T115200Z-vm-",
                                 "railiance-20261122T115200Z-vm-12x",
                                 "railiance-20261122T115200Z--12",
                                 "railiance-20261322T115200Z-vm-12",
                                 "railiance-manual-vm-12",
                                 "Railiance-20261122T115200Z-vm-12",
                                 "railiance-20261122T115200Z-../x-12",
                                 "railiance-20261122T115200Z-v m-12",
                                 "railiance-20261122T115200Z-vm-12.age"}) {
    CAPTURE(name);
    CHECK_FALSE(parse_snapshot_name(name));
  }
}

TEST_CASE("run and node decide whose snapshot it is; case does not, for k3s lowers it") {
  const auto name = *parse_snapshot_name("railiance-20261122T115200Z-vm-1795348336");
  CHECK(is_snapshot_of(name, "20261122T115200Z", "VM"));
  CHECK_FALSE(is_snapshot_of(name, "20261122T115201Z", "vm"));
  CHECK_FALSE(is_snapshot_of(name, "20261122T115200Z", "vm2"));
  CHECK_FALSE(is_snapshot_of(
      *parse_snapshot_name("railiance-20261122T115200Z-vm-1.part"), "20261122T115200Z", "vm"));
}

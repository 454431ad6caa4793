#include "set/stamp.hpp"
#include "sign/signing_key.hpp"
#include "support/fault_disk.hpp"
#include "support/sets.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::set;

TEST_CASE("stamp: lines that a shell can source") {
  const Stamp stamp = make_stamp(test::make_manifest("20261122T020000Z"));
  const std::string text = serialize(stamp);
  CHECK(text.starts_with("run_id=20261122T020000Z\n"
                         "time=2026-11-22T02:00:03Z\n"
                         "etcd_revision=4711\n"
                         "etcd_total_keys=815\n"
                         "size_bytes=2420\n"
                         "file_etcd_snapshot=etcd-20261122T020000Z.snap.age\n"
                         "bytes_etcd_snapshot=640\n"
                         "sha256_etcd_snapshot="));
  // Nothing in it means anything to a shell.
  CHECK(text.find_first_of("'\"$`\\;&|<>() \t") == std::string::npos);
}

TEST_CASE("stamp: what is written is read back") {
  test::FaultDisk disk;
  Directory directory(disk.mount(), "/backup");
  CHECK(read_stamp(directory).error().code == ErrorCode::not_found);
  const Stamp stamp = make_stamp(test::make_manifest("20261122T020000Z"));
  REQUIRE(write_stamp(directory, stamp, sign::SigningKey::generate().value()));
  const auto again = read_stamp(directory);
  REQUIRE(again);
  CHECK(*again == stamp);
}

TEST_CASE("stamp: unknown keys are skipped, bad values are not") {
  const std::string text = serialize(make_stamp(test::make_manifest("20261122T020000Z")));
  CHECK(parse_stamp(text + "new_key=1\n"));
  CHECK(!parse_stamp(""));
  CHECK(!parse_stamp("run_id=x\n"));
  CHECK(!parse_stamp(text + "size_bytes=12x\n"));
  CHECK(!parse_stamp(text + "bytes_kubeconfig=\n"));
}

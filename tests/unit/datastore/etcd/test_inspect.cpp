#include "datastore/etcd/inspect.hpp"
#include "datastore/etcd/stored_annotations.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::etcd;
using test::key_value;
using test::revision_key;

namespace {

Result<SnapshotInfo> inspect_bytes(ByteView bytes, const InspectLimits& limits = {}) {
  MemoryReader reader(bytes);
  return inspect(reader, limits);
}

test::Entries forty_revisions() {
  test::Entries revisions;
  for (std::uint64_t i = 0; i < 40; ++i) {
    revisions.emplace_back(revision_key(i + 2, 0),
                           key_value("/registry/pods/default/p" + std::to_string(i % 25)));
  }
  return revisions;
}

} // namespace

TEST_CASE("inspect counts live keys: puts replace, tombstones remove") {
  const Bytes database = test::make_bolt(test::etcd_buckets({
      {revision_key(2, 0), key_value("/registry/pods/default/a")},
      {revision_key(3, 0), key_value("/registry/pods/default/b")},
      {revision_key(4, 0), key_value("/registry/pods/default/a")},
      {revision_key(5, 0), key_value("/bootstrap/0123456789ab")},
      {revision_key(6, 0, true), key_value("/registry/pods/default/b")},
  }));
  const auto info = inspect_bytes(test::with_trailer(database));
  REQUIRE(info);
  CHECK(info->revision == 6);
  CHECK(info->total_keys == 2);
  CHECK(info->total_keys_all_buckets == 9);
  CHECK(info->db_size_bytes == database.size());
  CHECK(info->page_size_bytes == 4096);
  CHECK(info->storage_version == "3.6.0");
  CHECK(info->objects == std::map<std::string, std::uint64_t>{{"pods", 1}});
  CHECK(info->bootstrap_hashes == std::vector<std::string>{"0123456789ab"});
}

TEST_CASE("inspect does not depend on the shape of the file") {
  const auto buckets = test::etcd_buckets(forty_revisions());
  const auto expected = inspect_bytes(test::make_bolt(buckets));
  REQUIRE(expected);
  CHECK(expected->revision == 41);
  CHECK(expected->total_keys == 25);
  for (const std::uint32_t page_size : {512U, 1024U, 16384U, 65536U}) {
    for (const std::size_t leaf_entries : {5U, 100U}) {
      for (const bool inline_small : {true, false}) {
        CAPTURE(page_size);
        const auto info =
            inspect_bytes(test::make_bolt(buckets, {page_size, leaf_entries, inline_small, {}}));
        INFO((info ? std::string() : info.error().message));
        REQUIRE(info);
        CHECK(info->hash == expected->hash);
        CHECK(info->revision == expected->revision);
        CHECK(info->total_keys == expected->total_keys);
        CHECK(info->page_size_bytes == page_size);
      }
    }
  }
}

TEST_CASE("inspect counts the members of the etcd") {
  auto buckets = test::etcd_buckets(forty_revisions());
  buckets["members"] = {{"16a", "{}"}, {"16b", "{}"}, {"16c", "{}"}};
  const auto info = inspect_bytes(test::make_bolt(buckets));
  REQUIRE(info);
  CHECK(info->members == 3);
}

TEST_CASE("inspect reads values that go over many pages") {
  const auto info = inspect_bytes(test::make_bolt(test::etcd_buckets(
      {{revision_key(2, 0), key_value("/registry/secrets/a/b", std::string(300'000, 'x'))},
       {revision_key(3, 0), key_value("/registry/secrets/a/c", std::string(70'000, 'y'))}})));
  REQUIRE(info);
  CHECK(info->total_keys == 2);
}

TEST_CASE("inspect gets by with one valid meta page") {
  Bytes database = test::make_bolt(test::etcd_buckets(forty_revisions()));
  SUBCASE("the second one damaged") {
    database[4096 + 30] ^= 1;
  }
  SUBCASE("the first one damaged") {
    database[30] ^= 1;
  }
  CHECK(inspect_bytes(database));
}

TEST_CASE("inspect counts in parts when the keys exceed the limit, with the same result") {
  const Bytes database = test::make_bolt(test::etcd_buckets(forty_revisions()));
  InspectLimits limits;
  limits.live_keys = 16;
  const auto whole = inspect_bytes(database);
  const auto parts = inspect_bytes(database, limits);
  REQUIRE(whole);
  REQUIRE(parts);
  CHECK(parts->total_keys == 25);
  CHECK(parts->objects == whole->objects);
}

TEST_CASE("inspect accepts a freelist that is right, and refuses one that is not") {
  // Pages 0 and 1 are metas; with everything inline, 2 is the leaf of "key", 3 the root.
  const auto buckets = test::etcd_buckets(forty_revisions());
  test::BoltOptions options;
  options.leaf_entries = 100;
  const auto with_free = [&](std::vector<std::uint64_t> ids) {
    options.freelist = std::move(ids);
    return test::make_bolt(buckets, options);
  };
  SUBCASE("a page that is in use") {
    const auto info = inspect_bytes(with_free({2}));
    REQUIRE(!info);
    CHECK(info.error().message == "etcd snapshot: page 2: is free and in use");
  }
  SUBCASE("a page that does not exist") {
    const auto info = inspect_bytes(with_free({900}));
    REQUIRE(!info);
    CHECK(info.error().code == ErrorCode::corrupt);
  }
  SUBCASE("an unused page that is free") {
    Bytes database = with_free({5});
    database.resize(database.size() + 4096);
    test::set_meta_field(database, 40, database.size() / 4096);
    const auto info = inspect_bytes(database);
    INFO((info ? std::string() : info.error().message));
    CHECK(info);
  }
}

TEST_CASE("inspect stops when it is told to") {
  const Bytes database = test::make_bolt(test::etcd_buckets(forty_revisions()));
  MemoryReader reader(database);
  std::stop_source stop;
  stop.request_stop();
  const auto info = inspect(reader, {}, stop.get_token());
  REQUIRE(!info);
  CHECK(info.error().code == ErrorCode::cancelled);
}

TEST_CASE(
    "inspect keeps the last value of the key that is asked for, and none of one that is gone") {
  const Bytes database = test::make_bolt(test::etcd_buckets({
      {revision_key(2, 0), key_value("/registry/minions/one", "old")},
      {revision_key(3, 0), key_value("/registry/minions/one", "new")},
      {revision_key(4, 0), key_value("/registry/minions/two", "two")},
      {revision_key(5, 0, true), key_value("/registry/minions/two")},
  }));
  const auto value_of = [&](const std::string& key) {
    InspectLimits limits;
    limits.wanted_key = key;
    return inspect_bytes(database, limits).value().wanted_value;
  };
  REQUIRE(value_of("/registry/minions/one"));
  CHECK(as_text(*value_of("/registry/minions/one")) == "new");
  CHECK_FALSE(value_of("/registry/minions/two"));
  CHECK_FALSE(value_of("/registry/minions/three"));
  CHECK_FALSE(value_of(""));
}

TEST_CASE("an annotation of a stored object: protobuf, JSON, or nothing") {
  const auto field = [](char number, const std::string& content) {
    return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(content.size()) +
           content;
  };
  const std::string entry = field(1, "k3s.io/node-args") + field(2, "[\"server\"]");
  const std::string metadata =
      field(1, "vm") + field(12, field(1, "a") + field(2, "b")) + field(12, entry);
  const std::string stored = std::string("k8s\0", 4) + field(2, field(1, metadata));
  CHECK(stored_annotation(as_bytes(stored), "k3s.io/node-args") == "[\"server\"]");
  CHECK(stored_annotation(as_bytes(stored), "a") == "b");
  CHECK(stored_annotation(as_bytes(stored), "c").empty());
  const std::string json = R"({"metadata":{"annotations":{"a":"b","n":1}}})";
  CHECK(stored_annotation(as_bytes(json), "a") == "b");
  CHECK(stored_annotation(as_bytes(json), "n").empty());
  for (const std::string& odd : {std::string("k8s:enc:aescbc:v1:key1:xyz"),
                                 std::string("k8s\0\x12\x7f", 6),
                                 std::string("{"),
                                 std::string(),
                                 std::string("{\"metadata\":[]}")}) {
    CHECK(stored_annotation(as_bytes(odd), "a").empty());
  }
}

#include "datastore/etcd/snapshot.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

using namespace rb;
using namespace rb::etcd;
using test::key_value;
using test::revision_key;

namespace {

Result<datastore::CopyDigests> check_in_pieces(ByteView file, std::size_t piece) {
  TrailerCheck check;
  for (std::size_t at = 0; at < file.size(); at += piece) {
    check.update(file.subspan(at, std::min(piece, file.size() - at)));
  }
  return check.finish();
}

Bytes content(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 256);
  }
  return bytes;
}

Result<datastore::CopyFacts> inspect_bytes(ByteView bytes, const InspectLimits& limits = {}) {
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

TEST_CASE("FileReader notices a file that shrinks while it is read") {
  char name[] = "/tmp/random-reader-XXXXXX";
  Fd fd(::mkstemp(name));
  REQUIRE(fd.valid());
  REQUIRE(write_all(fd, Bytes(8192, 7), name));
  auto again = open_file(name, O_RDONLY);
  REQUIRE(again);
  auto reader = FileReader::open(std::move(*again), name);
  REQUIRE(reader);
  Bytes buffer(4096);
  CHECK((*reader)->read(4096, buffer));
  REQUIRE(::ftruncate(fd.get(), 5000) == 0);
  const Status status = (*reader)->read(4096, buffer);
  REQUIRE(!status);
  CHECK(status.error().code == ErrorCode::corrupt);
  CHECK((*reader)->size() == 8192);
  ::unlink(name);
}

TEST_CASE("FileReader refuses what is not a regular file") {
  auto fd = open_file("/tmp", O_RDONLY | O_DIRECTORY);
  REQUIRE(fd);
  const auto reader = FileReader::open(std::move(*fd), "/tmp");
  REQUIRE(!reader);
  CHECK(reader.error().code == ErrorCode::unsupported);
}

TEST_CASE("MemoryReader does not read past its end") {
  const Bytes bytes{1, 2, 3};
  MemoryReader reader(bytes);
  Bytes two(2);
  CHECK(reader.read(1, two));
  CHECK(two == Bytes{2, 3});
  CHECK(!reader.read(2, two));
  CHECK(!reader.read(~std::uint64_t{0}, two));
}

TEST_CASE("TrailerCheck gives both digests, however the file is cut into pieces") {
  const Bytes database = content(2048);
  const Bytes file = test::with_trailer(database);
  for (const std::size_t piece : {1U, 5U, 31U, 32U, 33U, 63U, 64U, 512U, 2047U, 2048U, 5000U}) {
    CAPTURE(piece);
    const auto digests = check_in_pieces(file, piece);
    REQUIRE(digests);
    CHECK(digests->content == sha256(database));
    CHECK(digests->file == sha256(file));
    CHECK(digests->size_bytes == 2080);
  }
}

TEST_CASE("TrailerCheck refuses an empty file") {
  const auto digests = TrailerCheck().finish();
  REQUIRE(!digests);
  CHECK(digests.error().code == ErrorCode::corrupt);
  CHECK(digests.error().message == "etcd snapshot: the file is empty");
}

TEST_CASE("TrailerCheck refuses every truncation") {
  const Bytes file = test::with_trailer(content(1024));
  for (std::size_t size = 1; size < file.size(); ++size) {
    CAPTURE(size);
    const auto digests = check_in_pieces(ByteView(file).first(size), 100);
    REQUIRE(!digests);
    CHECK(digests.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("TrailerCheck refuses a digest without content") {
  const Bytes file = test::with_trailer({});
  CHECK(!check_in_pieces(file, 32));
}

TEST_CASE("TrailerCheck notices every flipped bit") {
  Bytes file = test::with_trailer(content(512));
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
    file[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const auto digests = check_in_pieces(file, 4096);
    REQUIRE(!digests);
    CHECK(digests.error().message ==
          "etcd snapshot: the content does not have the digest that the file ends with");
    file[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
}

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
      }
    }
  }
}

TEST_CASE("inspect lists the members of the etcd, whatever stands in them") {
  auto buckets = test::etcd_buckets(forty_revisions());
  buckets["members"] = {
      {"16a", R"({"id":362,"peerURLs":["https://192.0.2.11:2380"],"name":"two-0a1b2c3d"})"},
      {"16b", R"({"id":363,"peerURLs":["https://[2001:db8::1]:2380","x"],"name":"one-01234567"})"},
      {"16c", "{}"},
      {"16d", R"({"name":5,"peerURLs":[5]})"},
      {"16e", R"({"name":"six-76543210","peerURLs":[]})"},
      {"16f", "not JSON"}};
  const auto info = inspect_bytes(test::make_bolt(buckets));
  REQUIRE(info);
  REQUIRE(info->members.size() == 6);
  CHECK(info->members[2].name.empty());
  CHECK(info->members[3].name == "one-01234567");
  CHECK(info->members[3].peer_url == "https://[2001:db8::1]:2380");
  CHECK(info->members[4].name == "six-76543210");
  CHECK(info->members[4].peer_url.empty());
  CHECK(info->members[5].name == "two-0a1b2c3d");
  CHECK(info->members[5].peer_url == "https://192.0.2.11:2380");
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
    limits.wanted_keys = {"/registry/minions/none", key};
    const auto info = inspect_bytes(database, limits);
    const Bytes* const value = info.value().wanted(key);
    return value == nullptr ? std::string() : std::string(as_text(*value));
  };
  CHECK(value_of("/registry/minions/one") == "new");
  CHECK(value_of("/registry/minions/two").empty());
  CHECK(value_of("/registry/minions/three").empty());
  CHECK(value_of("").empty());
}

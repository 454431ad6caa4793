#include "datastore/etcd/snapshot.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

#include <cstring>

using namespace rb;
using namespace rb::etcd;
using test::key_value;
using test::revision_key;

namespace {

constexpr std::size_t k_page = 4096;

/// Leaves of ten: pages 2 to 5 are the leaves of "key", 6 its branch, 7 the root.
Bytes database() {
  test::Entries revisions;
  for (std::uint64_t i = 0; i < 40; ++i) {
    revisions.emplace_back(revision_key(i + 2, 0),
                           key_value("/registry/pods/p" + std::to_string(i)));
  }
  return test::make_bolt(test::etcd_buckets(revisions));
}

std::string refusal(ByteView bytes) {
  MemoryReader reader(bytes);
  const auto info = inspect(reader);
  REQUIRE(!info);
  CHECK(info.error().code == ErrorCode::corrupt);
  CHECK(!info.error().hint.empty());
  return info.error().message;
}

template <typename Number> void put(Bytes& bytes, std::size_t offset, Number number) {
  std::memcpy(bytes.data() + offset, &number, sizeof number);
}

} // namespace

TEST_CASE("inspect refuses what is not a database") {
  CHECK(refusal({}) == "etcd snapshot: no valid meta page");
  CHECK(refusal(Bytes(100, 0)) == "etcd snapshot: no valid meta page");
  CHECK(refusal(Bytes(100'000, 0xed)) == "etcd snapshot: no valid meta page");
}

TEST_CASE("inspect refuses a database that was cut off") {
  const Bytes whole = database();
  CHECK(refusal(ByteView(whole).first(whole.size() - 1)) ==
        "etcd snapshot: it ends after 7 of 8 pages");
  CHECK(refusal(ByteView(whole).first(whole.size() / 2)) ==
        "etcd snapshot: it ends after 4 of 8 pages");
}

TEST_CASE("inspect refuses a bbolt file that is not etcd's") {
  CHECK(refusal(test::make_bolt({{"widgets", {{"a", "b"}}}})) ==
        "etcd snapshot: has no bucket key");
}

TEST_CASE("inspect names the page that is damaged") {
  Bytes bytes = database();
  SUBCASE("another id") {
    put(bytes, 3 * k_page, std::uint64_t{9});
    CHECK(refusal(bytes) == "etcd snapshot: page 3: says that it is page 9");
  }
  SUBCASE("another kind") {
    put(bytes, 3 * k_page + 8, std::uint16_t{0x10});
    CHECK(refusal(bytes) == "etcd snapshot: page 3: is neither a branch nor a leaf");
  }
  SUBCASE("too many elements") {
    put(bytes, 3 * k_page + 10, std::uint16_t{60000});
    CHECK(refusal(bytes).starts_with("etcd snapshot: page 3: "));
  }
  SUBCASE("overflow past the end") {
    put(bytes, 3 * k_page + 12, std::uint32_t{1000});
    CHECK(refusal(bytes) == "etcd snapshot: page 3: goes on past the end of the file");
  }
  SUBCASE("overflow into the next leaf") {
    put(bytes, 3 * k_page + 12, std::uint32_t{1});
    CHECK(refusal(bytes) == "etcd snapshot: page 4: is used twice");
  }
  SUBCASE("a position out of the page") {
    put(bytes, 3 * k_page + 16 + 4, std::uint32_t{0xFFFFFFFF});
    CHECK(refusal(bytes) == "etcd snapshot: page 3: element 0 does not lie within it");
  }
  SUBCASE("a child used twice") {
    put(bytes, 6 * k_page + 16 + 8, std::uint64_t{3});
    CHECK(refusal(bytes).starts_with("etcd snapshot: page 3: "));
  }
  SUBCASE("a branch that is its own child") {
    put(bytes, 6 * k_page + 16 + 8, std::uint64_t{6});
    CHECK(refusal(bytes) == "etcd snapshot: page 6: is used twice");
  }
  SUBCASE("a child that is a meta page") {
    put(bytes, 6 * k_page + 16 + 8, std::uint64_t{1});
    CHECK(refusal(bytes) == "etcd snapshot: page 1: out of range");
  }
  SUBCASE("keys out of order") {
    // The first byte of the second key of page 3, after its ten elements.
    const std::size_t second =
        3 * k_page + 16 + 10 * 16 + 17 + key_value("/registry/pods/p10").size();
    bytes[second + 7] = 1;
    CHECK(refusal(bytes) == "etcd snapshot: page 3: the key of element 1 is out of order");
  }
  SUBCASE("a key below the range of its page") {
    bytes[3 * k_page + 16 + 10 * 16 + 7] = 1;
    CHECK(refusal(bytes) == "etcd snapshot: page 3: the key of element 0 is out of order");
  }
  SUBCASE("the root out of range") {
    test::set_meta_field(bytes, 16, 900);
    CHECK(refusal(bytes) == "etcd snapshot: its root page 900 is out of range");
  }
}

TEST_CASE("inspect refuses entries of the bucket key that etcd could not have made") {
  SUBCASE("not a revision") {
    CHECK(refusal(test::make_bolt(test::etcd_buckets({{"hello", key_value("k")}}))) ==
          "etcd snapshot: bucket key: entry 0 is not a revision");
  }
  SUBCASE("not a key with a value") {
    CHECK(refusal(test::make_bolt(test::etcd_buckets({{revision_key(2, 0), "\xff"}}))) ==
          "etcd snapshot: bucket key: entry 0 is not a key with a value");
  }
}

TEST_CASE("inspect: elements may not share bytes") {
  // Without the rule a file of a megabyte could hold terabytes. Here the second element of the
  // first leaf of "key" points to the bytes of the first.
  Bytes bytes = database();
  const std::size_t second_element = 2 * k_page + 16 + 16;
  put(bytes, second_element + 4, std::uint32_t{10 * 16 - 16});
  CHECK(refusal(bytes) == "etcd snapshot: page 2: element 1 does not lie within it");
}

TEST_CASE("inspect refuses a node over the limit without reading it") {
  const Bytes bytes = test::make_bolt(
      test::etcd_buckets({{revision_key(2, 0), key_value("k", std::string(200'000, 'x'))},
                          {revision_key(3, 0), "x"},
                          {revision_key(4, 0), "x"},
                          {revision_key(5, 0), "x"}}));
  MemoryReader reader(bytes);
  InspectLimits limits;
  limits.node_bytes = 100'000;
  const auto info = inspect(reader, limits);
  REQUIRE(!info);
  CHECK(info.error().code == ErrorCode::unsupported);
}

TEST_CASE("inspect never crashes on a flipped bit, wherever it is") {
  Bytes bytes = database();
  std::size_t noticed = 0;
  for (std::size_t bit = 0; bit < bytes.size() * 8; bit += 3) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    MemoryReader reader(bytes);
    noticed += inspect(reader) ? 0U : 1U;
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
  }
  CHECK(noticed > 0);
}

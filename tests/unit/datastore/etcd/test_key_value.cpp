#include "datastore/etcd/key_value.hpp"
#include "support/bolt_builder.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::etcd;

TEST_CASE("decode_revision_key reads puts and tombstones") {
  const auto put = decode_revision_key(as_bytes(test::revision_key(258, 3)));
  REQUIRE(put);
  CHECK(put->main == 258);
  CHECK(!put->tombstone);
  const auto tombstone = decode_revision_key(as_bytes(test::revision_key(1, 0, true)));
  REQUIRE(tombstone);
  CHECK(tombstone->tombstone);
}

TEST_CASE("decode_revision_key refuses other lengths, separators and negative revisions") {
  const std::string good = test::revision_key(7, 0);
  CHECK(!decode_revision_key(as_bytes(good.substr(1))));
  CHECK(!decode_revision_key(as_bytes(good + "tt")));
  CHECK(!decode_revision_key({}));
  std::string other = good;
  other[8] = '-';
  CHECK(!decode_revision_key(as_bytes(other)));
  CHECK(!decode_revision_key(as_bytes(test::revision_key(std::uint64_t{1} << 63U, 0))));
}

TEST_CASE("decode_key_value finds field 1") {
  const std::string message = test::key_value("/registry/pods/a", std::string(300, 'x'));
  const auto key = decode_key_value(as_bytes(message));
  REQUIRE(key);
  CHECK(as_text(key->key) == "/registry/pods/a");
}

TEST_CASE("decode_key_value: a message without fields has an empty key") {
  const auto key = decode_key_value({});
  REQUIRE(key);
  CHECK(key->key.empty());
}

TEST_CASE("decode_key_value refuses what is cut off or not protobuf") {
  const std::string message = test::key_value("/registry/pods/a", "value");
  // Cut between two fields it is a message; anywhere else it is not.
  CHECK(!decode_key_value(as_bytes(message.substr(0, 5))));
  CHECK(!decode_key_value(as_bytes(message.substr(0, message.size() - 1))));
  CHECK(
      !decode_key_value(as_bytes(std::string("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 11))));
  CHECK(!decode_key_value(as_bytes(std::string("\x0b\x00", 2)))); // wire type 3
  CHECK(!decode_key_value(as_bytes(std::string("\x00\x00", 2)))); // field 0
  CHECK(!decode_key_value(as_bytes(std::string("\x0a\xff\xff\xff\xff\x0f", 6))));
}

#include "datastore/etcd/entries.hpp"
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

TEST_CASE("Crc32c gives the values of RFC 3720, appendix B.4") {
  const auto of = [](const rb::Bytes& bytes) {
    Crc32c crc;
    crc.update(bytes);
    return crc.value();
  };
  CHECK(of(rb::Bytes(32, 0x00)) == 0x8a9136aa);
  CHECK(of(rb::Bytes(32, 0xff)) == 0x62a8ab43);
  rb::Bytes ascending(32);
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    ascending[i] = static_cast<std::uint8_t>(i);
  }
  CHECK(of(ascending) == 0x46dd794e);
  CHECK(of({}) == 0);
}

TEST_CASE("Crc32c does not depend on how the bytes are cut") {
  const ByteView text = as_bytes("123456789 and some more that does not fit into eight");
  Crc32c whole;
  whole.update(text);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Crc32c parts;
    parts.update(text.first(cut));
    parts.update(text.subspan(cut));
    CHECK(parts.value() == whole.value());
  }
}

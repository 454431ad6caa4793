#include "datastore/etcd/crc32c.hpp"

#include <doctest/doctest.h>

using rb::as_bytes;
using rb::ByteView;
using rb::etcd::Crc32c;

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

#include "base/bytes.hpp"

#include <doctest/doctest.h>

using namespace rb;

TEST_CASE("to_hex and from_hex are inverse and take both cases") {
  const Bytes bytes{0x00, 0x7f, 0x80, 0xff};
  CHECK(to_hex(bytes) == "007f80ff");
  CHECK(from_hex("007F80ff").value() == bytes);
}

TEST_CASE("from_hex rejects odd lengths and other characters") {
  CHECK(from_hex("0").error().code == ErrorCode::corrupt);
  CHECK(from_hex("0g").error().code == ErrorCode::corrupt);
}

TEST_CASE("base64 holds the vectors of RFC 4648 section 10") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    CAPTURE(plain);
    CHECK(to_base64(as_bytes(plain)) == encoded);
    CHECK(as_text(from_base64(encoded).value()) == plain);
  }
}

TEST_CASE("from_base64 takes the canonical form only") {
  for (const char* text :
       {"Zg=", "Zg", "Zh==", "Z===", "====", "Zg==\n", "Zm9vYmE", "Zm 9v", "Zm=v"}) {
    CAPTURE(text);
    REQUIRE_FALSE(from_base64(text));
    CHECK(from_base64(text).error().code == ErrorCode::corrupt);
  }
}

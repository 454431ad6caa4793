#include "age/bech32.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::age;

// Texts of BIP-173, "Test vectors"; those that hold no whole number of bytes are left out.
TEST_CASE("bech32::decode: takes the valid texts of BIP-173") {
  for (const char* text :
       {"A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"}) {
    CAPTURE(text);
    const auto decoded = bech32::decode(text);
    REQUIRE(decoded);
  }
  CHECK(bech32::decode("A12UEL5L")->prefix == "A");
  CHECK(bech32::decode("A12UEL5L")->data.empty());
  CHECK(to_hex(bech32::decode("abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw")->data.view()) ==
        "00443214c74254b635cf84653a56d7c675be77df");
}

TEST_CASE("bech32::decode: refuses what is malformed and says why") {
  struct Case {
    std::string_view text;
    std::string_view message;
  };
  for (const Case& c : {Case{"", "no prefix"},
                        Case{"pzry9x0s0muk", "no prefix"},
                        Case{"1pzry9x0s0muk", "no prefix"},
                        Case{"x1b4n0q5v", "a character that is not a bech32 digit"},
                        Case{"li1dgmt3", "too short"},
                        Case{"A1G7SGD8", "wrong checksum"},
                        Case{"A12uEL5L", "upper and lower case mixed"},
                        Case{"a12uel5\x7f", "a character that is not printable ASCII"},
                        Case{"a12 uel5l", "a character that is not printable ASCII"},
                        Case{"a12uel5l\n", "a character that is not printable ASCII"}}) {
    CAPTURE(c.text);
    const auto decoded = bech32::decode(c.text);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == ErrorCode::corrupt);
    CHECK(decoded.error().message == c.message);
  }
}

TEST_CASE("bech32::decode: refuses padding that is too long or not zero") {
  // Right checksums; one digit is 5 bits and no byte, two are a byte and 2 bits that must be 0.
  for (const char* text : {"age1qdd35qf", "age1qpu0j2ex"}) {
    CAPTURE(text);
    const auto decoded = bech32::decode(text);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().message == "padding that is not zero or too long");
  }
}

TEST_CASE("bech32::encode: decode gives the bytes back for every length") {
  for (std::size_t size = 0; size < 100; ++size) {
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i) {
      bytes[i] = static_cast<std::uint8_t>(i * 37 + size);
    }
    const SecretBytes text = bech32::encode("prefix", bytes);
    const auto decoded = bech32::decode(text.text());
    REQUIRE(decoded);
    CHECK(decoded->prefix == "prefix");
    CHECK(to_hex(decoded->data.view()) == to_hex(bytes));
  }
}

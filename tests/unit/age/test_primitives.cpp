#include "age/primitives.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::age;

namespace {

PublicKey key_of(std::string_view hex) {
  const Bytes bytes = from_hex(hex).value();
  PublicKey key{};
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

} // namespace

TEST_CASE("x25519: the key exchange of RFC 7748, section 6.1") {
  const Bytes alice =
      from_hex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a").value();
  const Bytes bob =
      from_hex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb").value();
  const auto bob_public = x25519_public_key(bob);
  REQUIRE(bob_public);
  CHECK(to_hex(*bob_public) == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto alice_public = x25519_public_key(alice);
  REQUIRE(alice_public);
  CHECK(to_hex(*alice_public) ==
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  const auto from_alice = x25519_shared_secret(alice, *bob_public);
  const auto from_bob = x25519_shared_secret(bob, *alice_public);
  REQUIRE(from_alice);
  REQUIRE(from_bob);
  CHECK(to_hex(from_alice->view()) ==
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
  CHECK(to_hex(from_bob->view()) == to_hex(from_alice->view()));
}

TEST_CASE("x25519: a point of low order is refused") {
  const Bytes secret(32, 0x42);
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"}) {
    CAPTURE(point);
    const auto shared = x25519_shared_secret(secret, key_of(point));
    REQUIRE_FALSE(shared);
    CHECK(shared.error().code == ErrorCode::corrupt);
  }
}

TEST_CASE("hkdf_sha256: the test cases of RFC 5869, appendix A, to 32 bytes") {
  const auto basic = hkdf_sha256(Bytes(22, 0x0b),
                                 from_hex("000102030405060708090a0b0c").value(),
                                 as_text(from_hex("f0f1f2f3f4f5f6f7f8f9").value()));
  REQUIRE(basic);
  CHECK(to_hex(basic->view()) ==
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf");
  const auto no_salt = hkdf_sha256(Bytes(22, 0x0b), {}, "");
  REQUIRE(no_salt);
  CHECK(to_hex(no_salt->view()) ==
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

TEST_CASE("hmac_sha256: test case 2 of RFC 4231") {
  const auto mac = hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"));
  REQUIRE(mac);
  CHECK(to_hex(*mac) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("equal_constant_time: compares contents and sizes") {
  CHECK(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  CHECK_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  CHECK_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
}

#include "sign/signing_key.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::sign;

TEST_CASE("a key is the same after it was written and read") {
  const SigningKey key = SigningKey::generate().value();
  const SecretBytes pem = key.to_pem().value();
  CHECK(pem.text().starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const SigningKey again = SigningKey::from_pem(pem.view()).value();
  CHECK(again.public_key() == key.public_key());
  const Signature signature = again.sign(as_bytes("x"), "").value();
  CHECK(verifies(signature, blake2b_512(as_bytes("x")), key.public_key()));
}

TEST_CASE("two keys differ, and so do their ids") {
  const SigningKey one = SigningKey::generate().value();
  const SigningKey two = SigningKey::generate().value();
  CHECK(one.public_key().raw() != two.public_key().raw());
  CHECK(one.public_key().id() != two.public_key().id());
}

TEST_CASE("what is no key of ours is refused, and not quoted") {
  const auto refused = [](std::string_view text) { return SigningKey::from_pem(as_bytes(text)); };
  CHECK(refused("").error().code == ErrorCode::corrupt);
  CHECK(refused("secret words").error().message == "not a private key (PEM)");
  // An X25519 key (RFC 8410, but for key agreement).
  CHECK(refused("-----BEGIN PRIVATE KEY-----\n"
                "MC4CAQAwBQYDK2VuBCIEIAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n"
                "-----END PRIVATE KEY-----\n")
            .error()
            .code == ErrorCode::unsupported);
}

TEST_CASE("a comment that is not one line is not signed") {
  const SigningKey key = SigningKey::generate().value();
  CHECK(key.sign(as_bytes("x"), "a\nb").error().code == ErrorCode::invalid_argument);
  CHECK(key.sign(as_bytes("x"), std::string(k_trusted_comment_limit_bytes + 1, 'x')).error().code ==
        ErrorCode::invalid_argument);
}

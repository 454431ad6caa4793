#include "sign/signing_key.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::sign;

namespace {

/// A key that stock minisign made.
constexpr const char* k_line = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
constexpr const char* k_file = "untrusted comment: minisign public key E7620F1842B4E81F\n"
                               "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";

} // namespace

TEST_CASE("a public key is read from its file and from its line alone") {
  const auto of_file = PublicKey::parse(k_file);
  REQUIRE(of_file);
  CHECK(of_file->line() == k_line);
  CHECK(to_string(of_file->id()) == "E7620F1842B4E81F");
  CHECK(of_file->file() == k_file);
  CHECK(PublicKey::parse(std::string("  ") + k_line + "\r\n").value() == *of_file);
}

TEST_CASE("what is no public key is refused, with what is wanted") {
  for (const char* text : {"",
                           "untrusted comment: x",
                           "RWQ",
                           "age1qyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqszqgpqyqs3290gq",
                           "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3AAAA"}) {
    const auto key = PublicKey::parse(text);
    REQUIRE_FALSE(key);
    CHECK(key.error().code == ErrorCode::invalid_argument);
    CHECK(key.error().message.find("RW") != std::string::npos);
  }
}

TEST_CASE("a secret key of minisign is told from a public one, and not quoted") {
  const std::string secret = to_base64(Bytes(158, 7));
  const auto key = PublicKey::parse("untrusted comment: minisign secret key\n" + secret + "\n");
  REQUIRE_FALSE(key);
  CHECK(key.error().message == "this is a secret key of minisign, not a public one");
  CHECK(key.error().message.find(secret.substr(0, 12)) == std::string::npos);
}

TEST_CASE("a public key of another algorithm is unsupported") {
  Bytes bytes = from_base64(k_line).value();
  bytes[1] = 'X';
  CHECK(PublicKey::parse(to_base64(bytes)).error().code == ErrorCode::unsupported);
}

TEST_CASE("Ed25519 is that of RFC 8032") {
  // RFC 8032, 7.1, test 2.
  const Bytes raw =
      from_hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").value();
  const Bytes signature =
      from_hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
               "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")
          .value();
  PublicKey::Raw key{};
  std::copy(raw.begin(), raw.end(), key.begin());
  const PublicKey public_key({}, key);
  const Bytes message{0x72};
  const Bytes other{0x73};
  CHECK(is_signed_by(public_key, message, std::span<const std::uint8_t, 64>(signature)));
  CHECK_FALSE(is_signed_by(public_key, other, std::span<const std::uint8_t, 64>(signature)));
}

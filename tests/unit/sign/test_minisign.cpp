#include "sign/signing_key.hpp"

#include <doctest/doctest.h>

using namespace rb;
using namespace rb::sign;

namespace {

/// A key that stock minisign made.
constexpr const char* k_line = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
constexpr const char* k_file = "untrusted comment: minisign public key E7620F1842B4E81F\n"
                               "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";

struct Signed {
  SigningKey key = SigningKey::generate().value();
  std::string message = "{\"runID\": \"20261122T020000Z\"}\n";
  std::string text = serialize(key.sign(as_bytes(message), "railiance-backup run=x").value());

  [[nodiscard]] bool holds(const std::string& content, const std::string& signature) const {
    const auto parsed = parse_signature(signature);
    return parsed && verifies(*parsed, blake2b_512(as_bytes(content)), key.public_key());
  }
};

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

TEST_CASE("a signature holds for its message, and is written and read as the same") {
  const Signed one;
  CHECK(one.holds(one.message, one.text));
  CHECK(serialize(parse_signature(one.text).value()) == one.text);
  CHECK(parse_signature(one.text)->trusted_comment == "railiance-backup run=x");
  CHECK(to_string(parse_signature(one.text)->key_id) == to_string(one.key.public_key().id()));
}

TEST_CASE("every flipped bit of the message is found") {
  const Signed one;
  for (std::size_t bit = 0; bit < one.message.size() * 8; ++bit) {
    std::string changed = one.message;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(one.holds(changed, one.text));
  }
}

TEST_CASE(
    "every flipped bit of a signature file is found, but in the comment that is not trusted") {
  const Signed one;
  const std::size_t trusted_from = one.text.find('\n') + 1;
  for (std::size_t bit = trusted_from * 8; bit < one.text.size() * 8; ++bit) {
    std::string changed = one.text;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    CAPTURE(bit);
    CHECK_FALSE(one.holds(one.message, changed));
  }
}

TEST_CASE("every truncation of a signature file is found") {
  const Signed one;
  for (std::size_t size = 0; size + 1 < one.text.size(); ++size) {
    CHECK_FALSE(parse_signature(one.text.substr(0, size)));
  }
}

TEST_CASE("a signature of another key does not hold") {
  const Signed one;
  const Signed other;
  CHECK_FALSE(one.holds(one.message, other.text));
}

TEST_CASE("the trusted comment belongs to its signature") {
  const Signed one;
  Signature changed = parse_signature(one.text).value();
  changed.trusted_comment = "railiance-backup run=y";
  CHECK_FALSE(verifies(changed, blake2b_512(as_bytes(one.message)), one.key.public_key()));
}

TEST_CASE("what is no signature is refused, with what is wrong") {
  const Signed one;
  const auto refused = [](const std::string& text) {
    const auto parsed = parse_signature(text);
    return parsed ? std::string("taken") : parsed.error().message;
  };
  CHECK(refused("") == "not a signature of minisign: it has not four lines");
  CHECK(refused(one.text + "more\n") == "not a signature of minisign: it has not four lines");
  CHECK(refused(std::string(k_signature_limit_bytes + 1, 'x')) ==
        "not a signature of minisign: too large");
  CHECK(refused("x" + one.text) == "not a signature of minisign: its comments");
  CHECK(refused("untrusted comment: \n%\ntrusted comment: \n\n") ==
        "not a signature of minisign: its second line");
}

TEST_CASE("a signature without prehashing is another kind") {
  const Signed one;
  const std::size_t begin = one.text.find('\n') + 1;
  const std::size_t end = one.text.find('\n', begin);
  Bytes bytes = from_base64(one.text.substr(begin, end - begin)).value();
  bytes[1] = 'd';
  const std::string legacy = one.text.substr(0, begin) + to_base64(bytes) + one.text.substr(end);
  CHECK(parse_signature(legacy).error().message == "a signature without prehashing");
  CHECK(parse_signature(legacy).error().code == ErrorCode::unsupported);
}

TEST_CASE("BLAKE2b-512 is that of RFC 7693") {
  CHECK(to_hex(blake2b_512(as_bytes("abc"))) ==
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

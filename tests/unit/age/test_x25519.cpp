// The usual keys of age. The pair is that of RFC 7748, section 6.1: Bob is the recipient, and
// Alice's scalar is the secret that was drawn for the stanza.
#include "unit/age/support.hpp"

#include "age/x25519.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace rb;
using namespace rb::age;

namespace {

constexpr std::string_view k_bob = // age-keygen -y gives the public key of it
    "AGE-SECRET-KEY-1TK4SSLNZF29YK70P079C8QQWUEHNHVFFYCVTDLGU979J0LUGUR4SMHZYQ2";
constexpr std::string_view k_bob_public =
    "age1m60dkltm0hqmf56mv8pweep4xulcxs7gtduxwnddl3lpgmug9d8s0dmj33";
constexpr std::string_view k_alice_share = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo";

/// What c2sp.org/age makes of the pair and of file_key(), worked out by another implementation of
/// HKDF and ChaCha20-Poly1305.
constexpr std::string_view k_sealed =
    "27ce04f040d92577cec50279e7b518f40ee691c31b31dc86054d466ef90cfbe1";

constexpr const char* k_low_order[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};

Bytes file_key() {
  Bytes key(k_file_key_bytes);
  for (std::size_t i = 0; i < key.size(); ++i) {
    key[i] = static_cast<std::uint8_t>(i);
  }
  return key;
}

X25519Identity bob() {
  return X25519Identity::parse(k_bob).value();
}

Stanza stanza_of_alice() {
  return {"X25519", {std::string(k_alice_share)}, from_hex(k_sealed).value()};
}

bool is_corrupt(const Stanza& stanza) {
  const auto opened = bob().unwrap(stanza);
  return !opened && opened.error().code == ErrorCode::corrupt;
}

} // namespace

TEST_CASE("x25519: texts are the Bech32 of the keys, and the public key is the private one's") {
  const X25519Identity identity = bob();
  CHECK(to_hex(identity.secret.view()) ==
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  CHECK(to_hex(identity.recipient.key) ==
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  CHECK(identity.text().text() == k_bob);
  CHECK(identity.recipient.text() == k_bob_public);
  CHECK(X25519Recipient::parse(k_bob_public).value() == identity.recipient);
}

TEST_CASE("x25519: a stanza opens to its file key, and with one bit changed to none") {
  const auto opened = bob().unwrap(stanza_of_alice());
  REQUIRE(opened);
  REQUIRE(*opened);
  CHECK(to_hex((*opened)->view()) == to_hex(file_key()));
  for (const std::size_t at : {std::size_t{0}, k_sealed_file_key_bytes - 1}) {
    Stanza changed = stanza_of_alice();
    changed.body[at] ^= 1U;
    CHECK_FALSE(bob().unwrap(changed).value());
  }
  Bytes share = decode_unpadded(k_alice_share).value();
  share[0] ^= 1U; // another point: it may be for somebody else
  Stanza other = stanza_of_alice();
  other.arguments = {encode_unpadded(share)};
  CHECK_FALSE(bob().unwrap(other).value());
}

TEST_CASE("x25519: what is wrapped has its form, opens for the one key, and is never the same") {
  const X25519Identity identity = bob();
  const auto stanza = identity.recipient.wrap(file_key());
  REQUIRE(stanza);
  CHECK(stanza->type == "X25519");
  REQUIRE(stanza->arguments.size() == 1);
  CHECK(stanza->body.size() == k_sealed_file_key_bytes);
  const Header header{{*stanza}, {}};
  const std::size_t without = k_header_intro.size() + 4 + 43 + 1;
  CHECK(marshal(header).size() - without == X25519Recipient::k_stanza_bytes);
  const auto opened = identity.unwrap(*stanza).value();
  REQUIRE(opened);
  CHECK(to_hex(opened->view()) == to_hex(file_key()));

  const auto again = identity.recipient.wrap(file_key());
  REQUIRE(again);
  CHECK(again->arguments != stanza->arguments);
  CHECK(again->body != stanza->body);
  CHECK_FALSE(X25519Identity::parse(test::k_identity).value().unwrap(*stanza).value());
}

TEST_CASE("x25519: a point of low order is nobody's key: nothing is sealed to it or opened by it") {
  for (const char* const point : k_low_order) {
    CAPTURE(point);
    const Bytes bytes = from_hex(point).value();
    X25519Recipient recipient;
    std::copy(bytes.begin(), bytes.end(), recipient.key.begin());
    const auto sealed = recipient.wrap(file_key());
    REQUIRE_FALSE(sealed);
    CHECK(sealed.error().code == ErrorCode::corrupt);
    Stanza stanza = stanza_of_alice();
    stanza.arguments = {encode_unpadded(bytes)};
    CHECK(is_corrupt(stanza));
  }
}

TEST_CASE("x25519: a stanza of another form is corrupt, whatever key it would be for") {
  const Stanza good = stanza_of_alice();
  const std::string share = good.arguments.front();
  CHECK(is_corrupt({good.type, {}, good.body}));
  CHECK(is_corrupt({good.type, {share, share}, good.body}));
  CHECK(is_corrupt({good.type, {share.substr(1)}, good.body}));
  CHECK(is_corrupt({good.type, {share + "A"}, good.body}));
  CHECK(is_corrupt({good.type, {share + "="}, good.body}));
  CHECK(is_corrupt({good.type, {encode_unpadded(Bytes(31, 9))}, good.body}));
  CHECK(is_corrupt({good.type, {encode_unpadded(Bytes(33, 9))}, good.body}));
  CHECK(is_corrupt({good.type, {share}, test::prefix(good.body, 31)}));
  CHECK(is_corrupt({good.type, {share}, Bytes(33)}));
}

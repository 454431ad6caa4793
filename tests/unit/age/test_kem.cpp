// What holds where OpenSSL has ML-KEM is tested there (the suite `root` of `make test` has it);
// where it has none, that the refusal says so.
#include "unit/age/support.hpp"

#include "age/bech32.hpp"
#include "age/hpke.hpp"
#include "age/kem.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <sstream>

using namespace rb;
using namespace rb::age;

namespace {

std::map<std::string, Bytes> draft_vector() {
  std::map<std::string, Bytes> fields;
  std::istringstream lines(test::vector_text("hpke-mlkem768-x25519.txt"));
  for (std::string name, value; lines >> name >> value;) {
    fields[name.substr(0, name.size() - 1)] = from_hex(value).value();
  }
  REQUIRE(fields.size() == 7);
  return fields;
}

/// The bytes of a recipient of the vectors.
Bytes key_of(const std::string& file) {
  return test::bytes_of(bech32::decode(test::vector_line(file)).value().data.view());
}

} // namespace

TEST_CASE("kem: the vector of draft-ietf-hpke-pq, from the seed to the key of the message") {
  const auto vector = draft_vector();
  const Bytes& seed = vector.at("skRm");
  if (!has_ml_kem()) {
    CHECK(check_public_key(Kem::mlkem768_x25519, vector.at("pkRm")).error().code ==
          ErrorCode::unsupported);
    return;
  }
  CHECK(to_hex(mlkem768_x25519_public_key(seed).value()) == to_hex(vector.at("pkRm")));
  const auto shared = mlkem768_x25519_decapsulate(seed, vector.at("enc"));
  REQUIRE(shared);
  CHECK(to_hex(shared->view()) == to_hex(vector.at("shared_secret")));
  const auto message =
      hpke::message_key(0x647a, shared->view(), as_text(ByteView(vector.at("info"))));
  REQUIRE(message);
  CHECK(to_hex(message->key.view()) == to_hex(vector.at("key")));
  CHECK(to_hex(message->nonce) == to_hex(vector.at("base_nonce")));
}

TEST_CASE("kem: what is encapsulated comes out once more, and never twice the same") {
  if (!has_ml_kem()) {
    CHECK(needs_ml_kem().starts_with("needs OpenSSL 3.5 or newer, and this program runs with "
                                     "OpenSSL 3."));
    return;
  }
  const auto vector = draft_vector();
  const auto first = encapsulate(Kem::mlkem768_x25519, vector.at("pkRm"));
  const auto second = encapsulate(Kem::mlkem768_x25519, vector.at("pkRm"));
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->enc.size() == k_mlkem768_x25519_enc_bytes);
  CHECK(first->enc != second->enc);
  const auto shared = mlkem768_x25519_decapsulate(vector.at("skRm"), first->enc);
  REQUIRE(shared);
  CHECK(to_hex(shared->view()) == to_hex(first->shared_secret.view()));
}

TEST_CASE("kem: a ciphertext of another size, or with a point of low order, is corrupt") {
  if (!has_ml_kem()) {
    CHECK_FALSE(mlkem768_x25519_public_key(Bytes(k_hybrid_seed_bytes)));
    return;
  }
  const auto vector = draft_vector();
  const Bytes& good = vector.at("enc");
  for (const std::size_t size : {0UL, 1UL, 32UL, good.size() - 1}) {
    const auto cut = mlkem768_x25519_decapsulate(vector.at("skRm"), ByteView(good).first(size));
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == ErrorCode::corrupt);
  }
  Bytes low = good;
  std::fill(low.end() - 32, low.end(), std::uint8_t{0});
  CHECK(mlkem768_x25519_decapsulate(vector.at("skRm"), low).error().code == ErrorCode::corrupt);
  // Another ciphertext gives another secret, and no error: only the seal of the message tells.
  Bytes other = good;
  other[0] ^= 1U;
  const auto rejected = mlkem768_x25519_decapsulate(vector.at("skRm"), other);
  REQUIRE(rejected);
  CHECK(to_hex(rejected->view()) != to_hex(vector.at("shared_secret")));
}

TEST_CASE("kem: a key that nobody can have is refused") {
  const auto refused = [](Kem kem, const Bytes& key) {
    const Status checked = check_public_key(kem, key);
    return !checked && checked.error().code == ErrorCode::invalid_argument;
  };
  CHECK(refused(Kem::p256, Bytes()));
  CHECK(refused(Kem::p256, Bytes{0}));
  CHECK(refused(Kem::p256, Bytes(k_p256_compressed_point_bytes, 0)));
  CHECK(refused(Kem::p256, Bytes(k_p256_point_bytes, 4)));
  Bytes outside(k_p256_compressed_point_bytes, 0xff); // x is larger than the prime
  outside[0] = 2;
  CHECK(refused(Kem::p256, outside));
  CHECK(refused(Kem::mlkem768_x25519, Bytes(k_mlkem768_x25519_key_bytes - 1)));
  CHECK(refused(Kem::mlkem768_p256, Bytes(k_mlkem768_p256_key_bytes)));
  Bytes tagpq = key_of("tagpq.pub");
  tagpq.back() ^= 1U;
  CHECK(refused(Kem::mlkem768_p256, tagpq));
  if (has_ml_kem()) {
    Bytes beyond = key_of("pq.pub");
    std::fill(beyond.begin(), beyond.begin() + 3, std::uint8_t{0xff}); // coefficients above q
    CHECK(refused(Kem::mlkem768_x25519, beyond));
  }
}

TEST_CASE("kem: a point of P-256 gives the same secret whichever way it is written") {
  const Bytes compressed = key_of("tag.pub");
  REQUIRE(check_public_key(Kem::p256, compressed));
  const auto made = encapsulate(Kem::p256, compressed);
  REQUIRE(made);
  CHECK(made->enc.size() == k_p256_point_bytes);
  CHECK(made->enc.front() == 4);
  CHECK(made->shared_secret.size() == 32);
}

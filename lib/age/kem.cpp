#include "age/kem.hpp"

#include "age/evp.hpp"
#include "age/hpke.hpp"
#include "age/primitives.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

namespace rb::age {

namespace {

constexpr const char* k_ml_kem = "ML-KEM-768";
/// OSSL_PKEY_PARAM_ML_KEM_SEED, which headers before OpenSSL 3.5 don't have.
constexpr const char* k_ml_kem_seed = "seed";
constexpr std::size_t k_ml_kem_seed_bytes = 64;
constexpr std::string_view k_p256_label = "MLKEM768-P256";
constexpr std::string_view k_x25519_label = "\\.//^\\";

Error failed(std::string_view what) {
  return {ErrorCode::internal, std::string(what) + ": openssl failed", {}};
}

Error bad_key(std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(what), {}};
}

/// What OpenSSL notes of a failure that is no surprise goes no further.
class QuietErrors {
public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
  QuietErrors(QuietErrors&&) = delete;
  QuietErrors& operator=(QuietErrors&&) = delete;
};

void append(Bytes& bytes, ByteView more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

evp::Key ml_kem_public(ByteView key) {
  return evp::Key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, k_ml_kem, nullptr, key.data(), key.size()));
}

/// Of OpenSSL's parameters; nothing when it refuses them.
evp::Key key_from(const char* type, int selection, std::array<OSSL_PARAM, 3> parameters) {
  const evp::KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
  EVP_PKEY* key = nullptr;
  if (!context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, selection, parameters.data()) != 1) {
    return nullptr;
  }
  return evp::Key(key);
}

evp::Key ml_kem_private(ByteView seed) {
  return key_from(
      k_ml_kem, EVP_PKEY_KEYPAIR, {evp::octets(k_ml_kem_seed, seed), OSSL_PARAM_construct_end()});
}

evp::Key p256_public(ByteView point) {
  std::string group = "P-256";
  return key_from("EC",
                  EVP_PKEY_PUBLIC_KEY,
                  {evp::text(OSSL_PKEY_PARAM_GROUP_NAME, group),
                   evp::octets(OSSL_PKEY_PARAM_PUB_KEY, point),
                   OSSL_PARAM_construct_end()});
}

/// The point of a key of P-256, uncompressed, however it was given.
Result<Bytes> p256_point(const evp::Key& key) {
  BIGNUM* x = nullptr;
  BIGNUM* y = nullptr;
  Bytes point(k_p256_point_bytes, 4);
  const bool done = EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                    EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
                    BN_bn2binpad(x, point.data() + 1, 32) == 32 &&
                    BN_bn2binpad(y, point.data() + 33, 32) == 32;
  BN_free(x);
  BN_free(y);
  if (!done) {
    return failed("p-256");
  }
  return point;
}

/// A shared secret by a key pair that is used once.
struct Exchange {
  SecretBytes shared_secret;
  Bytes share; ///< The public key of that pair.
};

Result<Exchange> exchange_p256(const evp::Key& peer) {
  const evp::Key ephemeral(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  const evp::KeyContext context(ephemeral ? EVP_PKEY_CTX_new(ephemeral.get(), nullptr) : nullptr);
  Exchange exchange{SecretBytes(32), {}};
  std::size_t size = exchange.shared_secret.size();
  if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
      EVP_PKEY_derive(context.get(), exchange.shared_secret.data(), &size) != 1 ||
      size != exchange.shared_secret.size()) {
    return failed("p-256");
  }
  RB_TRY_ASSIGN(exchange.share, p256_point(ephemeral));
  return exchange;
}

Result<Exchange> exchange_x25519(ByteView peer) {
  SecretBytes ephemeral(32);
  RB_TRY(fill_random(ephemeral.span()));
  PublicKey key{};
  std::copy_n(peer.begin(), key.size(), key.begin());
  RB_TRY_ASSIGN(const PublicKey share, x25519_public_key(ephemeral.view()));
  RB_TRY_ASSIGN(SecretBytes shared, x25519_shared_secret(ephemeral.view(), key));
  return Exchange{std::move(shared), Bytes(share.begin(), share.end())};
}

/// Encap of RFC 9180, section 4.1.
Result<Encapsulated> encapsulate_p256(ByteView key) {
  const evp::Key peer = p256_public(key);
  if (!peer) {
    return failed("p-256");
  }
  RB_TRY_ASSIGN(Exchange exchange, exchange_p256(peer));
  RB_TRY_ASSIGN(const Bytes recipient, p256_point(peer));
  Bytes suite;
  append(suite, as_bytes("KEM"));
  hpke::append_number(suite, static_cast<std::uint16_t>(Kem::p256));
  Bytes context = exchange.share;
  append(context, recipient);
  RB_TRY_ASSIGN(const SecretBytes extracted,
                hpke::labeled_extract(suite, {}, "eae_prk", exchange.shared_secret.view()));
  RB_TRY_ASSIGN(SecretBytes shared,
                hpke::labeled_expand(suite, extracted.view(), "shared_secret", context, 32));
  return Encapsulated{std::move(shared), std::move(exchange.share)};
}

/// Both secrets in one: that of ML-KEM, that of the curve, and what the curve's was made of.
Result<SecretBytes> combined(ByteView ml_kem_secret,
                             const Exchange& exchange,
                             ByteView curve_key,
                             std::string_view label) {
  SecretBuffer input;
  input.append(ml_kem_secret);
  input.append(exchange.shared_secret.view());
  input.append(exchange.share);
  input.append(curve_key);
  input.append(label);
  SecretBytes secret(32);
  if (EVP_Digest(
          input.view().data(), input.size(), secret.data(), nullptr, EVP_sha3_256(), nullptr) !=
      1) {
    return failed("sha3");
  }
  return secret;
}

Result<Encapsulated> encapsulate_hybrid(Kem kem, ByteView key) {
  const ByteView curve_key = key.subspan(k_ml_kem_key_bytes);
  const bool is_x25519 = kem == Kem::mlkem768_x25519;
  RB_TRY_ASSIGN(const Exchange exchange,
                is_x25519 ? exchange_x25519(curve_key) : exchange_p256(p256_public(curve_key)));
  const evp::Key peer = ml_kem_public(key.first(k_ml_kem_key_bytes));
  const evp::KeyContext context(peer ? EVP_PKEY_CTX_new(peer.get(), nullptr) : nullptr);
  Encapsulated result{SecretBytes(32), Bytes(k_ml_kem_ciphertext_bytes)};
  std::size_t enc_size = result.enc.size();
  std::size_t secret_size = result.shared_secret.size();
  if (!context || EVP_PKEY_encapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_encapsulate(
          context.get(), result.enc.data(), &enc_size, result.shared_secret.data(), &secret_size) !=
          1 ||
      enc_size != result.enc.size() || secret_size != result.shared_secret.size()) {
    return failed("ml-kem");
  }
  RB_TRY_ASSIGN(result.shared_secret,
                combined(result.shared_secret.view(),
                         exchange,
                         curve_key,
                         is_x25519 ? k_x25519_label : k_p256_label));
  append(result.enc, exchange.share);
  return result;
}

/// The private keys of both, out of the seed.
struct HybridKey {
  evp::Key ml_kem;
  SecretBytes x25519;
};

Result<HybridKey> expand_seed(ByteView seed) {
  const std::unique_ptr<EVP_MD_CTX, evp::Free<EVP_MD_CTX_free>> hash(EVP_MD_CTX_new());
  SecretBytes expanded(k_ml_kem_seed_bytes + 32);
  if (!hash || EVP_DigestInit_ex(hash.get(), EVP_shake256(), nullptr) != 1 ||
      EVP_DigestUpdate(hash.get(), seed.data(), seed.size()) != 1 ||
      EVP_DigestFinalXOF(hash.get(), expanded.data(), expanded.size()) != 1) {
    return failed("shake256");
  }
  HybridKey key{ml_kem_private(expanded.view().first(k_ml_kem_seed_bytes)),
                SecretBytes(expanded.view().subspan(k_ml_kem_seed_bytes))};
  if (!key.ml_kem) {
    return failed("ml-kem");
  }
  return key;
}

} // namespace

bool has_ml_kem() {
  static const bool k_there = [] {
    const QuietErrors quiet;
    EVP_KEM* const kem = EVP_KEM_fetch(nullptr, k_ml_kem, nullptr);
    EVP_KEM_free(kem);
    return kem != nullptr;
  }();
  return k_there;
}

std::string needs_ml_kem() {
  return std::string("needs OpenSSL 3.5 or newer, and this program runs with OpenSSL ") +
         OpenSSL_version(OPENSSL_VERSION_STRING);
}

Status check_public_key(Kem kem, ByteView key) {
  const QuietErrors quiet;
  if (kem == Kem::p256) {
    const bool sized =
        key.size() == k_p256_compressed_point_bytes || key.size() == k_p256_point_bytes;
    return sized && p256_public(key) ? Status{} : bad_key("not a point of P-256");
  }
  const bool is_p256 = kem == Kem::mlkem768_p256;
  if (key.size() != (is_p256 ? k_mlkem768_p256_key_bytes : k_mlkem768_x25519_key_bytes)) {
    return bad_key("not of its size");
  }
  const ByteView point = key.subspan(k_ml_kem_key_bytes);
  if (is_p256 && (point.front() != 4 || !p256_public(point))) {
    return bad_key("not a point of P-256");
  }
  if (!has_ml_kem()) {
    return Error{ErrorCode::unsupported, "ML-KEM " + needs_ml_kem(), {}};
  }
  return ml_kem_public(key.first(k_ml_kem_key_bytes)) ? Status{} : bad_key("not a key of ML-KEM");
}

Result<Encapsulated> encapsulate(Kem kem, ByteView key) {
  return kem == Kem::p256 ? encapsulate_p256(key) : encapsulate_hybrid(kem, key);
}

Result<Bytes> mlkem768_x25519_public_key(ByteView seed) {
  RB_TRY_ASSIGN(const HybridKey key, expand_seed(seed));
  Bytes result(k_ml_kem_key_bytes);
  std::size_t size = result.size();
  if (EVP_PKEY_get_raw_public_key(key.ml_kem.get(), result.data(), &size) != 1 ||
      size != result.size()) {
    return failed("ml-kem");
  }
  RB_TRY_ASSIGN(const PublicKey curve_key, x25519_public_key(key.x25519.view()));
  append(result, curve_key);
  return result;
}

Result<SecretBytes> mlkem768_x25519_decapsulate(ByteView seed, ByteView enc) {
  if (enc.size() != k_mlkem768_x25519_enc_bytes) {
    return Error{ErrorCode::corrupt, "not of its size", {}};
  }
  RB_TRY_ASSIGN(const HybridKey key, expand_seed(seed));
  RB_TRY_ASSIGN(const PublicKey curve_key, x25519_public_key(key.x25519.view()));
  PublicKey share{};
  std::copy_n(enc.begin() + k_ml_kem_ciphertext_bytes, share.size(), share.begin());
  RB_TRY_ASSIGN(SecretBytes shared, x25519_shared_secret(key.x25519.view(), share));

  const evp::KeyContext context(EVP_PKEY_CTX_new(key.ml_kem.get(), nullptr));
  SecretBytes secret(32);
  std::size_t size = secret.size();
  if (!context || EVP_PKEY_decapsulate_init(context.get(), nullptr) != 1 ||
      EVP_PKEY_decapsulate(
          context.get(), secret.data(), &size, enc.data(), k_ml_kem_ciphertext_bytes) != 1 ||
      size != secret.size()) {
    return failed("ml-kem");
  }
  const Exchange exchange{std::move(shared), Bytes(share.begin(), share.end())};
  return combined(secret.view(), exchange, curve_key, k_x25519_label);
}

} // namespace rb::age

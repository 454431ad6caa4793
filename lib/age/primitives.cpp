#include "age/primitives.hpp"

#include "age/evp.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <string>

namespace rb::age {

namespace {

Error failed(std::string_view what) {
  return {ErrorCode::internal, std::string(what) + ": openssl failed", {}};
}

Result<SecretBytes>
hkdf(int mode, ByteView secret, ByteView salt, ByteView info, std::size_t size) {
  const evp::Kdf kdf(EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr));
  const evp::KdfContext context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  if (!context) {
    return failed("hkdf");
  }
  std::string digest = "SHA256";
  std::array<OSSL_PARAM, 6> parameters{};
  std::size_t count = 0;
  parameters[count++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
  parameters[count++] = evp::text(OSSL_KDF_PARAM_DIGEST, digest);
  parameters[count++] = evp::octets(OSSL_KDF_PARAM_KEY, secret);
  if (!salt.empty()) { // OpenSSL refuses an empty one; RFC 5869 means zeros, its default
    parameters[count++] = evp::octets(OSSL_KDF_PARAM_SALT, salt);
  }
  if (!info.empty()) {
    parameters[count++] = evp::octets(OSSL_KDF_PARAM_INFO, info);
  }
  parameters[count] = OSSL_PARAM_construct_end();
  SecretBytes key(size);
  if (EVP_KDF_derive(context.get(), key.data(), key.size(), parameters.data()) != 1) {
    return failed("hkdf");
  }
  return key;
}

} // namespace

Status fill_random(MutableByteView buffer) {
  if (RAND_bytes(buffer.data(), static_cast<int>(buffer.size())) != 1) {
    return failed("random numbers");
  }
  return {};
}

Result<SecretBytes> hkdf_sha256(ByteView secret, ByteView salt, std::string_view info) {
  return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND, secret, salt, as_bytes(info), 32);
}

Result<SecretBytes> hkdf_extract(ByteView secret, ByteView salt) {
  return hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, secret, salt, {}, 32);
}

Result<SecretBytes> hkdf_expand(ByteView key, ByteView info, std::size_t size) {
  return hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, key, {}, info, size);
}

Result<SecretBytes> scrypt(ByteView passphrase, ByteView salt, unsigned work_factor) {
  constexpr std::uint64_t k_r = 8;
  constexpr std::uint64_t k_p = 1;
  constexpr std::uint64_t k_slack_bytes = 1U << 20U;
  const std::uint64_t n = std::uint64_t{1} << work_factor;
  SecretBytes key(32);
  const std::string_view text = as_text(passphrase);
  if (EVP_PBE_scrypt(text.data(),
                     text.size(),
                     salt.data(),
                     salt.size(),
                     n,
                     k_r,
                     k_p,
                     128 * k_r * n + k_slack_bytes,
                     key.data(),
                     key.size()) != 1) {
    return Error{ErrorCode::unsupported,
                 "scrypt: openssl failed; this passphrase needs " + std::to_string(n >> 10U) +
                     " MiB of memory",
                 "open it on a machine with more memory"};
  }
  return key;
}

Result<Sha256Digest> hmac_sha256(ByteView key, ByteView message) {
  Sha256Digest mac{};
  unsigned size = 0;
  if (HMAC(EVP_sha256(),
           key.data(),
           static_cast<int>(key.size()),
           message.data(),
           message.size(),
           mac.data(),
           &size) == nullptr ||
      size != mac.size()) {
    return failed("hmac");
  }
  return mac;
}

bool equal_constant_time(ByteView left, ByteView right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

Result<PublicKey> x25519_public_key(ByteView secret) {
  const evp::Key key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
  PublicKey result{};
  std::size_t size = result.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), result.data(), &size) != 1 ||
      size != result.size()) {
    return failed("x25519");
  }
  return result;
}

Result<SecretBytes> x25519_shared_secret(ByteView secret, const PublicKey& peer) {
  const evp::Key ours(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size()));
  const evp::Key theirs(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
  const evp::KeyContext context(ours ? EVP_PKEY_CTX_new(ours.get(), nullptr) : nullptr);
  if (!theirs || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
      EVP_PKEY_derive_set_peer(context.get(), theirs.get()) != 1) {
    return failed("x25519");
  }
  SecretBytes shared(32);
  std::size_t size = shared.size();
  // OpenSSL refuses a shared secret of zeros, as RFC 7748 section 6.1 advises and age demands.
  if (EVP_PKEY_derive(context.get(), shared.data(), &size) != 1 || size != shared.size()) {
    return Error{ErrorCode::corrupt, "x25519: public key of low order", {}};
  }
  return shared;
}

Result<Sha256Digest> header_mac(ByteView file_key, std::string_view covered) {
  RB_TRY_ASSIGN(const SecretBytes key, hkdf_sha256(file_key, {}, "header"));
  return hmac_sha256(key.view(), as_bytes(covered));
}

Result<SecretBytes> payload_key(ByteView file_key, ByteView payload_nonce) {
  return hkdf_sha256(file_key, payload_nonce, "payload");
}

ChunkNonce chunk_nonce(std::uint64_t index, bool final_chunk) {
  ChunkNonce nonce{};
  for (std::size_t i = 0; i < 8; ++i) {
    nonce[10 - i] = static_cast<std::uint8_t>(index >> (8 * i));
  }
  nonce[11] = final_chunk ? 1 : 0;
  return nonce;
}

void ChunkCipher::Free::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

Result<ChunkCipher> ChunkCipher::make(ByteView key, Direction direction) {
  Context context(EVP_CIPHER_CTX_new());
  if (!context || EVP_CipherInit_ex2(context.get(),
                                     EVP_chacha20_poly1305(),
                                     key.data(),
                                     nullptr,
                                     direction == Direction::seal ? 1 : 0,
                                     nullptr) != 1) {
    return Error{ErrorCode::internal, "chacha20-poly1305: openssl failed", {}};
  }
  return ChunkCipher(std::move(context));
}

bool ChunkCipher::apply(const ChunkNonce& nonce, MutableByteView text) {
  int written = 0;
  return EVP_CipherInit_ex2(m_context.get(), nullptr, nullptr, nonce.data(), -1, nullptr) == 1 &&
         EVP_CipherUpdate(
             m_context.get(), text.data(), &written, text.data(), static_cast<int>(text.size())) ==
             1;
}

bool ChunkCipher::seal(const ChunkNonce& nonce, MutableByteView chunk) {
  const MutableByteView text = chunk.first(chunk.size() - k_tag_bytes);
  int written = 0;
  return apply(nonce, text) &&
         EVP_CipherFinal_ex(m_context.get(), text.data() + text.size(), &written) == 1 &&
         EVP_CIPHER_CTX_ctrl(m_context.get(),
                             EVP_CTRL_AEAD_GET_TAG,
                             static_cast<int>(k_tag_bytes),
                             chunk.last(k_tag_bytes).data()) == 1;
}

bool ChunkCipher::open(const ChunkNonce& nonce, MutableByteView chunk) {
  const MutableByteView text = chunk.first(chunk.size() - k_tag_bytes);
  if (!apply(nonce, text)) {
    return false;
  }
  std::array<std::uint8_t, k_tag_bytes> unused{};
  int written = 0;
  const bool authentic = EVP_CIPHER_CTX_ctrl(m_context.get(),
                                             EVP_CTRL_AEAD_SET_TAG,
                                             static_cast<int>(k_tag_bytes),
                                             chunk.last(k_tag_bytes).data()) == 1 &&
                         EVP_CipherFinal_ex(m_context.get(), unused.data(), &written) == 1;
  if (!authentic) {
    // ChaCha20 is its own inverse: a second pass under the same nonce brings the ciphertext back,
    // so that nothing that was not authenticated stays in the buffer.
    (void)apply(nonce, text);
  }
  return authentic;
}

Result<Bytes> seal_file_key(ByteView wrapping_key, ByteView file_key, const ChunkNonce& nonce) {
  RB_TRY_ASSIGN(ChunkCipher cipher, ChunkCipher::make(wrapping_key, ChunkCipher::Direction::seal));
  Bytes body(k_sealed_file_key_bytes);
  std::copy(file_key.begin(), file_key.end(), body.begin());
  if (!cipher.seal(nonce, body)) {
    wipe(body);
    return failed("chacha20-poly1305");
  }
  return body;
}

Result<std::optional<SecretBytes>>
open_file_key(ByteView wrapping_key, ByteView body, const ChunkNonce& nonce) {
  RB_TRY_ASSIGN(ChunkCipher cipher, ChunkCipher::make(wrapping_key, ChunkCipher::Direction::open));
  SecretBytes text(body);
  if (!cipher.open(nonce, text.span())) {
    return std::optional<SecretBytes>();
  }
  return std::optional<SecretBytes>(SecretBytes(text.view().first(k_file_key_bytes)));
}

} // namespace rb::age

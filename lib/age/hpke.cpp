#include "age/hpke.hpp"

#include <algorithm>

namespace rb::age::hpke {

namespace {

constexpr std::string_view k_version = "HPKE-v1";
constexpr std::uint16_t k_hkdf_sha256 = 0x0001;
constexpr std::uint16_t k_chacha20_poly1305 = 0x0003;
constexpr std::uint8_t k_base_mode = 0;

void append(Bytes& bytes, ByteView more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

} // namespace

void append_number(Bytes& bytes, std::uint16_t number) {
  bytes.push_back(static_cast<std::uint8_t>(number >> 8U));
  bytes.push_back(static_cast<std::uint8_t>(number & 0xffU));
}

Result<SecretBytes>
labeled_extract(ByteView suite, ByteView salt, std::string_view label, ByteView secret) {
  SecretBuffer labeled;
  labeled.append(k_version);
  labeled.append(suite);
  labeled.append(label);
  labeled.append(secret);
  return hkdf_extract(labeled.view(), salt);
}

Result<SecretBytes> labeled_expand(
    ByteView suite, ByteView key, std::string_view label, ByteView info, std::size_t size) {
  Bytes labeled;
  append_number(labeled, static_cast<std::uint16_t>(size));
  append(labeled, as_bytes(k_version));
  append(labeled, suite);
  append(labeled, as_bytes(label));
  append(labeled, info);
  return hkdf_expand(key, labeled, size);
}

Result<MessageKey> message_key(std::uint16_t kem, ByteView shared_secret, std::string_view info) {
  Bytes suite;
  append(suite, as_bytes("HPKE"));
  append_number(suite, kem);
  append_number(suite, k_hkdf_sha256);
  append_number(suite, k_chacha20_poly1305);

  RB_TRY_ASSIGN(const SecretBytes psk_id_hash, labeled_extract(suite, {}, "psk_id_hash", {}));
  RB_TRY_ASSIGN(const SecretBytes info_hash,
                labeled_extract(suite, {}, "info_hash", as_bytes(info)));
  Bytes context{k_base_mode};
  append(context, psk_id_hash.view());
  append(context, info_hash.view());

  RB_TRY_ASSIGN(const SecretBytes secret, labeled_extract(suite, shared_secret, "secret", {}));
  MessageKey message;
  RB_TRY_ASSIGN(message.key, labeled_expand(suite, secret.view(), "key", context, 32));
  RB_TRY_ASSIGN(const SecretBytes nonce,
                labeled_expand(suite, secret.view(), "base_nonce", context, message.nonce.size()));
  std::copy_n(nonce.data(), message.nonce.size(), message.nonce.begin());
  return message;
}

} // namespace rb::age::hpke

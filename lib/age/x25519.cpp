#include "age/x25519.hpp"

#include "age/key_text.hpp"

#include <algorithm>
#include <array>

namespace rb::age {

namespace {

constexpr std::string_view k_recipient_prefix = "age";
constexpr std::string_view k_identity_prefix = "AGE-SECRET-KEY-";
constexpr std::string_view k_info = "age-encryption.org/v1/X25519";

Error malformed_stanza() {
  return {ErrorCode::corrupt, "malformed X25519 stanza", {}};
}

Result<SecretBytes>
wrapping_key(ByteView shared_secret, const PublicKey& share, const PublicKey& recipient) {
  std::array<std::uint8_t, 64> salt{};
  std::copy(share.begin(), share.end(), salt.begin());
  std::copy(recipient.begin(), recipient.end(), salt.begin() + 32);
  return hkdf_sha256(shared_secret, salt, k_info);
}

} // namespace

Result<X25519Recipient> X25519Recipient::parse(std::string_view text) {
  X25519Recipient recipient;
  RB_TRY_ASSIGN(const Bytes key, decode_recipient(text, k_recipient_prefix, recipient.key.size()));
  std::copy(key.begin(), key.end(), recipient.key.begin());
  return recipient;
}

std::string X25519Recipient::text() const {
  return encode_recipient(k_recipient_prefix, key);
}

Result<Stanza> X25519Recipient::wrap(ByteView file_key) const {
  SecretBytes ephemeral(32);
  RB_TRY(fill_random(ephemeral.span()));
  RB_TRY_ASSIGN(const PublicKey share, x25519_public_key(ephemeral.view()));
  RB_TRY_ASSIGN(const SecretBytes shared, x25519_shared_secret(ephemeral.view(), key));
  RB_TRY_ASSIGN(const SecretBytes wrapping, wrapping_key(shared.view(), share, key));
  RB_TRY_ASSIGN(Bytes body, seal_file_key(wrapping.view(), file_key));
  return Stanza{
      std::string(X25519Identity::k_stanza_type), {encode_unpadded(share)}, std::move(body)};
}

Result<X25519Identity> X25519Identity::from_secret(SecretBytes secret) {
  RB_TRY_ASSIGN(const PublicKey key, x25519_public_key(secret.view()));
  return X25519Identity{std::move(secret), {key}};
}

Result<X25519Identity> X25519Identity::parse(std::string_view text) {
  RB_TRY_ASSIGN(SecretBytes secret, decode_identity(text, k_identity_prefix, 32));
  return from_secret(std::move(secret));
}

SecretBytes X25519Identity::text() const {
  return encode_identity(k_identity_prefix, secret.view());
}

Result<std::optional<SecretBytes>> X25519Identity::unwrap(const Stanza& stanza) const {
  if (stanza.arguments.size() != 1 || stanza.body.size() != k_sealed_file_key_bytes) {
    return malformed_stanza();
  }
  const auto bytes = decode_unpadded(stanza.arguments.front());
  PublicKey share{};
  if (!bytes || bytes->size() != share.size()) {
    return malformed_stanza();
  }
  std::copy(bytes->begin(), bytes->end(), share.begin());
  RB_TRY_ASSIGN(const SecretBytes shared, x25519_shared_secret(secret.view(), share));
  RB_TRY_ASSIGN(const SecretBytes key, wrapping_key(shared.view(), share, recipient.key));
  return open_file_key(key.view(), stanza.body);
}

} // namespace rb::age

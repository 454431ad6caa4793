#include "age/x25519.hpp"

#include "age/chunk_cipher.hpp"
#include "age/primitives.hpp"

#include <algorithm>

namespace rb::age {

namespace {

constexpr std::string_view k_info = "age-encryption.org/v1/X25519";

Error malformed() {
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

Result<std::optional<SecretBytes>> unwrap_file_key(ByteView wrapping_key, ByteView body) {
  RB_TRY_ASSIGN(ChunkCipher cipher, ChunkCipher::make(wrapping_key, ChunkCipher::Direction::open));
  SecretBytes text(body);
  if (!cipher.open(ChunkNonce{}, text.span())) {
    return std::optional<SecretBytes>();
  }
  return std::optional<SecretBytes>(SecretBytes(text.view().first(k_file_key_bytes)));
}

Result<Stanza> wrap_x25519(ByteView file_key, const Recipient& recipient) {
  SecretBytes ephemeral(32);
  RB_TRY(fill_random(ephemeral.span()));
  RB_TRY_ASSIGN(const PublicKey share, x25519_public_key(ephemeral.view()));
  auto shared = x25519_shared_secret(ephemeral.view(), recipient.key());
  if (!shared) {
    Error error = std::move(shared).error();
    if (error.code == ErrorCode::corrupt) {
      error.code = ErrorCode::invalid_argument;
    }
    return std::move(error).within("recipient");
  }
  RB_TRY_ASSIGN(const SecretBytes key, wrapping_key(shared->view(), share, recipient.key()));
  RB_TRY_ASSIGN(ChunkCipher cipher, ChunkCipher::make(key.view(), ChunkCipher::Direction::seal));
  Stanza stanza{std::string(k_x25519_type), {encode_unpadded(share)}, {}};
  stanza.body.resize(k_file_key_bytes + k_tag_bytes);
  std::copy(file_key.begin(), file_key.end(), stanza.body.begin());
  if (!cipher.seal(ChunkNonce{}, stanza.body)) {
    wipe(stanza.body);
    return Error{ErrorCode::internal, "chacha20-poly1305: openssl failed", {}};
  }
  return stanza;
}

Result<std::optional<SecretBytes>> unwrap_x25519(const Stanza& stanza, const Identity& identity) {
  if (stanza.arguments.size() != 1 || stanza.body.size() != k_file_key_bytes + k_tag_bytes) {
    return malformed();
  }
  const auto share_bytes = decode_unpadded(stanza.arguments.front());
  PublicKey share{};
  if (!share_bytes || share_bytes->size() != share.size()) {
    return malformed();
  }
  std::copy(share_bytes->begin(), share_bytes->end(), share.begin());
  RB_TRY_ASSIGN(const SecretBytes shared, x25519_shared_secret(identity.secret(), share));
  RB_TRY_ASSIGN(const SecretBytes key,
                wrapping_key(shared.view(), share, identity.recipient().key()));
  return unwrap_file_key(key.view(), stanza.body);
}

} // namespace rb::age

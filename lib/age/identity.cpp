#include "age/identity.hpp"

#include "age/bech32.hpp"
#include "age/primitives.hpp"

#include <string>

namespace rb::age {

namespace {

constexpr std::string_view k_prefix = "AGE-SECRET-KEY-";
constexpr std::size_t k_key_bytes = 32;

Error malformed(std::string_view what) {
  return {ErrorCode::invalid_argument, "identity: malformed: " + std::string(what), {}};
}

Error unsupported(std::string_view kind) {
  return {ErrorCode::unsupported, "identity: " + std::string(kind) + " is not supported", {}};
}

} // namespace

Result<Identity> Identity::from_secret(SecretBytes secret) {
  RB_TRY_ASSIGN(const PublicKey key, x25519_public_key(secret.view()));
  return Identity(std::move(secret), Recipient(key));
}

Result<Identity> Identity::parse(std::string_view text) {
  if (text.starts_with("AGE-SECRET-KEY-PQ-1")) {
    return unsupported("a post-quantum key");
  }
  if (text.starts_with("AGE-PLUGIN-")) {
    return unsupported("a plugin key");
  }
  auto decoded = bech32::decode(text);
  if (!decoded) {
    return malformed(decoded.error().message);
  }
  if (decoded->prefix != k_prefix) {
    return malformed("does not begin with AGE-SECRET-KEY-1");
  }
  if (decoded->data.size() != k_key_bytes) {
    return malformed("not 32 bytes long");
  }
  return from_secret(std::move(decoded->data));
}

Result<Identity> Identity::generate() {
  SecretBytes secret(k_key_bytes);
  RB_TRY(fill_random(secret.span()));
  return from_secret(std::move(secret));
}

SecretBytes Identity::text() const {
  SecretBytes text = bech32::encode("age-secret-key-", m_secret.view());
  for (std::uint8_t& c : text.span()) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<std::uint8_t>(c - 'a' + 'A');
    }
  }
  return text;
}

} // namespace rb::age

#include "age/identity.hpp"

#include "age/bech32.hpp"
#include "age/primitives.hpp"

#include <algorithm>
#include <string>

namespace rb::age {

namespace {

constexpr std::string_view k_recipient_prefix = "age";
constexpr std::string_view k_recipient_hint =
    "give an X25519 recipient (age1...), as age-keygen -y prints it";

Error unsupported_recipient(std::string_view kind) {
  return {ErrorCode::unsupported,
          "recipient: " + std::string(kind) + " is not supported",
          std::string(k_recipient_hint)};
}

Error malformed_recipient(std::string_view what) {
  return {ErrorCode::invalid_argument,
          "recipient: malformed: " + std::string(what),
          std::string(k_recipient_hint)};
}

} // namespace

Result<Recipient> Recipient::parse(std::string_view text) {
  if (!text.starts_with("ssh-") && text.find_first_of(" \t\r\n") != std::string_view::npos) {
    return malformed_recipient("white space within it: a comma is missing between two recipients");
  }
  if (text.starts_with("age1pq1")) {
    return unsupported_recipient("the post-quantum kind age1pq1");
  }
  if (text.starts_with("age1") && std::count(text.begin(), text.end(), '1') > 1) {
    return unsupported_recipient("a plugin or hardware key");
  }
  if (text.starts_with("ssh-")) {
    return unsupported_recipient("an ssh key");
  }
  if (text.starts_with("scrypt")) {
    return unsupported_recipient("a passphrase (scrypt)");
  }
  if (text.starts_with("AGE-SECRET-KEY-") || text.starts_with("AGE-PLUGIN-")) {
    return malformed_recipient("a private key was given instead of a public one");
  }
  auto decoded = bech32::decode(text);
  if (!decoded) {
    return malformed_recipient(decoded.error().message);
  }
  if (decoded->prefix != k_recipient_prefix) {
    return malformed_recipient("does not begin with age1");
  }
  PublicKey key{};
  if (decoded->data.size() != key.size()) {
    return malformed_recipient("not 32 bytes long");
  }
  std::copy_n(decoded->data.data(), key.size(), key.begin());
  return Recipient(key);
}

std::string Recipient::text() const {
  return std::string(bech32::encode(k_recipient_prefix, m_key).text());
}

namespace {

constexpr std::string_view k_identity_prefix = "AGE-SECRET-KEY-";
constexpr std::size_t k_key_bytes = 32;

Error malformed_identity(std::string_view what) {
  return {ErrorCode::invalid_argument, "identity: malformed: " + std::string(what), {}};
}

Error unsupported_identity(std::string_view kind) {
  return {ErrorCode::unsupported, "identity: " + std::string(kind) + " is not supported", {}};
}

} // namespace

Result<Identity> Identity::from_secret(SecretBytes secret) {
  RB_TRY_ASSIGN(const PublicKey key, x25519_public_key(secret.view()));
  return Identity(std::move(secret), Recipient(key));
}

Result<Identity> Identity::parse(std::string_view text) {
  if (text.starts_with("AGE-SECRET-KEY-PQ-1")) {
    return unsupported_identity("a post-quantum key");
  }
  if (text.starts_with("AGE-PLUGIN-")) {
    return unsupported_identity("a plugin key");
  }
  auto decoded = bech32::decode(text);
  if (!decoded) {
    return malformed_identity(decoded.error().message);
  }
  if (decoded->prefix != k_identity_prefix) {
    return malformed_identity("does not begin with AGE-SECRET-KEY-1");
  }
  if (decoded->data.size() != k_key_bytes) {
    return malformed_identity("not 32 bytes long");
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

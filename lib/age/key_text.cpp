#include "age/key_text.hpp"

#include "age/bech32.hpp"

#include <algorithm>

namespace rb::age {

namespace {

constexpr std::string_view k_recipient_hint =
    "give a public key that age-keygen -y prints (age1..., age1pq1...), a token's (age1tag1..., "
    "age1tagpq1...) or an ssh-ed25519 one";

/// Nothing, or what is wrong with it.
std::string wrong_form(const bech32::Decoded& key, std::string_view prefix, std::size_t size) {
  if (key.prefix != prefix) {
    return "does not begin with " + std::string(prefix) + "1";
  }
  return key.data.size() == size ? "" : "not " + std::to_string(size) + " bytes long";
}

} // namespace

Error malformed_recipient(std::string_view what) {
  return {ErrorCode::invalid_argument,
          "recipient: malformed: " + std::string(what),
          std::string(k_recipient_hint)};
}

Error unsupported_recipient(std::string_view kind) {
  return {ErrorCode::unsupported,
          "recipient: " + std::string(kind) + " is not supported",
          std::string(k_recipient_hint)};
}

Error malformed_identity(std::string_view what) {
  return {ErrorCode::invalid_argument, "identity: malformed: " + std::string(what), {}};
}

Error unsupported_identity(std::string_view kind) {
  return {ErrorCode::unsupported, "identity: " + std::string(kind) + " is not supported", {}};
}

Result<Bytes> decode_recipient(std::string_view text, std::string_view prefix, std::size_t size) {
  const auto key = bech32::decode(text);
  if (!key) {
    return malformed_recipient(key.error().message);
  }
  if (const std::string wrong = wrong_form(*key, prefix, size); !wrong.empty()) {
    return malformed_recipient(wrong);
  }
  return Bytes(key->data.view().begin(), key->data.view().end());
}

std::string encode_recipient(std::string_view prefix, ByteView key) {
  return std::string(bech32::encode(prefix, key).text());
}

Result<SecretBytes>
decode_identity(std::string_view text, std::string_view prefix, std::size_t size) {
  auto key = bech32::decode(text);
  if (!key) {
    return malformed_identity(key.error().message);
  }
  if (const std::string wrong = wrong_form(*key, prefix, size); !wrong.empty()) {
    return malformed_identity(wrong);
  }
  return std::move(key->data);
}

SecretBytes encode_identity(std::string_view prefix, ByteView key) {
  std::string lower(prefix);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  SecretBytes text = bech32::encode(lower, key);
  for (std::uint8_t& c : text.span()) {
    if (c >= 'a' && c <= 'z') {
      c = static_cast<std::uint8_t>(c - 'a' + 'A');
    }
  }
  return text;
}

} // namespace rb::age

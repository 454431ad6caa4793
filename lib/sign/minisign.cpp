#include "sign/minisign.hpp"

#include "base/text.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace rb::sign {

namespace {

constexpr std::string_view k_algorithm = "Ed";
constexpr std::string_view k_key_comment = "untrusted comment:";
constexpr std::size_t k_key_decoded_bytes = 2 + 8 + PublicKey::k_raw_bytes;
constexpr std::size_t k_secret_decoded_bytes = 158; ///< minisign's secret key.

/// Without the comment line, where there is one.
std::string_view key_line(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with(k_key_comment)) {
    const std::size_t end = text.find('\n');
    text = end == std::string_view::npos ? std::string_view() : trimmed(text.substr(end));
  }
  return text;
}

Error malformed_key() {
  return {ErrorCode::invalid_argument,
          "not a public key: a file of minisign's format, or its second line (RW…), is wanted",
          "it is railiance-backup.pub, `railiance-backup show` has it, too"};
}

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

constexpr std::string_view k_prehashed = "ED";
constexpr std::string_view k_legacy = "Ed";
constexpr std::string_view k_untrusted = "untrusted comment: ";
constexpr std::string_view k_trusted = "trusted comment: ";
constexpr std::size_t k_signature_decoded_bytes = 2 + 8 + 64;

Error malformed_signature(std::string_view what) {
  return {ErrorCode::corrupt, "not a signature of minisign: " + std::string(what), {}};
}

/// The next line without its end, and takes it off `text`; nothing where no line is left.
std::optional<std::string_view> next_line(std::string_view& text) {
  if (text.empty()) {
    return std::nullopt;
  }
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

bool has_control_character(std::string_view text) {
  return std::ranges::any_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

} // namespace

std::string to_string(const KeyId& id) {
  KeyId reversed = id;
  std::ranges::reverse(reversed);
  std::string text = to_hex(reversed);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c;
  });
  return text;
}

Result<PublicKey> PublicKey::parse(std::string_view text) {
  const auto bytes = from_base64(key_line(text));
  if (bytes && bytes->size() == k_secret_decoded_bytes) {
    return Error{ErrorCode::invalid_argument,
                 "this is a secret key of minisign, not a public one",
                 "the public key has 56 characters and begins with RW"};
  }
  if (!bytes || bytes->size() != k_key_decoded_bytes) {
    return malformed_key();
  }
  if (as_text(*bytes).substr(0, k_algorithm.size()) != k_algorithm) {
    return Error{ErrorCode::unsupported, "a public key of another kind than Ed25519", {}};
  }
  KeyId id{};
  Raw raw{};
  std::copy_n(bytes->begin() + 2, id.size(), id.begin());
  std::copy_n(bytes->begin() + 10, raw.size(), raw.begin());
  return PublicKey(id, raw);
}

std::string PublicKey::line() const {
  Bytes bytes(k_algorithm.begin(), k_algorithm.end());
  bytes.insert(bytes.end(), m_id.begin(), m_id.end());
  bytes.insert(bytes.end(), m_raw.begin(), m_raw.end());
  return to_base64(bytes);
}

std::string PublicKey::file() const {
  return std::string(k_key_comment) + " minisign public key " + to_string(m_id) + "\n" + line() +
         "\n";
}

bool is_signed_by(const PublicKey& key,
                  ByteView message,
                  std::span<const std::uint8_t, 64> signature) {
  const Key pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.raw().data(), key.raw().size()),
      EVP_PKEY_free);
  const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  return pkey && context &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(
             context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
             1;
}

Result<Signature> parse_signature(std::string_view text) {
  if (text.size() > k_signature_limit_bytes) {
    return malformed_signature("too large");
  }
  const auto untrusted = next_line(text);
  const auto main = next_line(text);
  const auto trusted = next_line(text);
  const auto global = next_line(text);
  if (!global || !text.empty()) {
    return malformed_signature("it has not four lines");
  }
  if (!untrusted->starts_with(k_untrusted) || !trusted->starts_with(k_trusted)) {
    return malformed_signature("its comments");
  }
  const auto bytes = from_base64(*main);
  if (!bytes || bytes->size() != k_signature_decoded_bytes) {
    return malformed_signature("its second line");
  }
  const std::string_view algorithm = as_text(*bytes).substr(0, k_prehashed.size());
  if (algorithm != k_prehashed) {
    return Error{ErrorCode::unsupported,
                 algorithm == k_legacy ? "a signature without prehashing"
                                       : "a signature of an unknown algorithm",
                 {}};
  }
  const auto global_bytes = from_base64(*global);
  if (!global_bytes || global_bytes->size() != RawSignature().size()) {
    return malformed_signature("its last line");
  }
  Signature signature;
  std::copy_n(bytes->begin() + 2, signature.key_id.size(), signature.key_id.begin());
  std::copy_n(bytes->begin() + 10, signature.signature.size(), signature.signature.begin());
  std::copy_n(global_bytes->begin(), signature.global.size(), signature.global.begin());
  signature.trusted_comment = trusted->substr(k_trusted.size());
  if (signature.trusted_comment.size() > k_trusted_comment_limit_bytes ||
      has_control_character(signature.trusted_comment)) {
    return malformed_signature("its trusted comment");
  }
  return signature;
}

std::string serialize(const Signature& signature) {
  Bytes bytes(k_prehashed.begin(), k_prehashed.end());
  bytes.insert(bytes.end(), signature.key_id.begin(), signature.key_id.end());
  bytes.insert(bytes.end(), signature.signature.begin(), signature.signature.end());
  return std::string(k_untrusted) + "signature of railiance-backup, key " +
         to_string(signature.key_id) + "\n" + to_base64(bytes) + "\n" + std::string(k_trusted) +
         signature.trusted_comment + "\n" + to_base64(signature.global) + "\n";
}

Bytes global_message(const RawSignature& signature, std::string_view trusted_comment) {
  Bytes message(signature.begin(), signature.end());
  message.insert(message.end(), trusted_comment.begin(), trusted_comment.end());
  return message;
}

bool verifies(const Signature& signature, const Blake2bDigest& digest, const PublicKey& key) {
  return signature.key_id == key.id() && is_signed_by(key, digest, signature.signature) &&
         is_signed_by(
             key, global_message(signature.signature, signature.trusted_comment), signature.global);
}

} // namespace rb::sign

#include "sign/signature.hpp"

#include <algorithm>
#include <optional>

namespace rb::sign {

namespace {

constexpr std::string_view k_prehashed = "ED";
constexpr std::string_view k_legacy = "Ed";
constexpr std::string_view k_untrusted = "untrusted comment: ";
constexpr std::string_view k_trusted = "trusted comment: ";
constexpr std::size_t k_decoded_bytes = 2 + 8 + 64;

Error malformed(std::string_view what) {
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

Result<Signature> parse_signature(std::string_view text) {
  if (text.size() > k_signature_limit_bytes) {
    return malformed("too large");
  }
  const auto untrusted = next_line(text);
  const auto main = next_line(text);
  const auto trusted = next_line(text);
  const auto global = next_line(text);
  if (!global || !text.empty()) {
    return malformed("it has not four lines");
  }
  if (!untrusted->starts_with(k_untrusted) || !trusted->starts_with(k_trusted)) {
    return malformed("its comments");
  }
  const auto bytes = from_base64(*main);
  if (!bytes || bytes->size() != k_decoded_bytes) {
    return malformed("its second line");
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
    return malformed("its last line");
  }
  Signature signature;
  std::copy_n(bytes->begin() + 2, signature.key_id.size(), signature.key_id.begin());
  std::copy_n(bytes->begin() + 10, signature.signature.size(), signature.signature.begin());
  std::copy_n(global_bytes->begin(), signature.global.size(), signature.global.begin());
  signature.trusted_comment = trusted->substr(k_trusted.size());
  if (signature.trusted_comment.size() > k_trusted_comment_limit_bytes ||
      has_control_character(signature.trusted_comment)) {
    return malformed("its trusted comment");
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

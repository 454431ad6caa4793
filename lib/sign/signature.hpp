// A detached signature in minisign's format: the file's BLAKE2b-512 signed with Ed25519 ("ED"), and
// a trusted comment that a second, global signature covers.
#pragma once

#include "sign/blake2b.hpp"
#include "sign/public_key.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rb::sign {

/// The largest signature file that is read.
inline constexpr std::size_t k_signature_limit_bytes = 16U << 10U;

/// minisign's own bound of the trusted comment.
inline constexpr std::size_t k_trusted_comment_limit_bytes = 8192;

using RawSignature = std::array<std::uint8_t, 64>;

struct Signature {
  KeyId key_id{};
  RawSignature signature{}; ///< Of the digest.
  std::string trusted_comment;
  RawSignature global{}; ///< Of `signature` and the trusted comment.

  bool operator==(const Signature&) const = default;
};

/// The four lines; the untrusted comment is dropped. Strict: canonical base64, no other lines, no
/// control characters in the comment. Errors: corrupt, unsupported (the older kind without
/// prehashing, or another algorithm).
[[nodiscard]] Result<Signature> parse_signature(std::string_view text);

/// The four lines, as `minisign -V` reads them.
[[nodiscard]] std::string serialize(const Signature& signature);

/// Both signatures hold, `key` made them, and the id is that of `key`, as `minisign -V` wants it.
[[nodiscard]] bool
verifies(const Signature& signature, const Blake2bDigest& digest, const PublicKey& key);

/// What the global signature is of.
[[nodiscard]] Bytes global_message(const RawSignature& signature, std::string_view trusted_comment);

} // namespace rb::sign

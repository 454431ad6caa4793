// minisign's formats (jedisct1.github.io/minisign): the Ed25519 public key, and the detached
// signature of a file, which is made of its BLAKE2b-512.
#pragma once

#include "base/bytes.hpp"
#include "base/digest.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rb::sign {

using rb::Blake2b; // what minisign signs in place of the file
using rb::blake2b_512;
using rb::Blake2bDigest;

using KeyId = std::array<std::uint8_t, 8>;

/// As minisign prints it: 16 upper-case hex digits, the last byte first.
[[nodiscard]] std::string to_string(const KeyId& id);

/// Two lines, of which the second is the base64 of "Ed", 8 bytes of key id and the 32 bytes of the
/// key. That line alone, 56 characters, is what people write down.
class PublicKey {
public:
  static constexpr std::size_t k_raw_bytes = 32;
  using Raw = std::array<std::uint8_t, k_raw_bytes>;

  PublicKey(const KeyId& id, const Raw& raw) : m_id(id), m_raw(raw) {}

  /// The two lines of a file, or the second one alone; white space around them is taken. Errors:
  /// invalid_argument (a secret key among them, which the hint says), unsupported (not Ed25519).
  [[nodiscard]] static Result<PublicKey> parse(std::string_view text);

  [[nodiscard]] const KeyId& id() const { return m_id; }
  [[nodiscard]] const Raw& raw() const { return m_raw; }

  /// The line that people write down: "RW…".
  [[nodiscard]] std::string line() const;
  /// The file, as `minisign -p` takes it.
  [[nodiscard]] std::string file() const;

  bool operator==(const PublicKey&) const = default;

private:
  KeyId m_id;
  Raw m_raw;
};

/// Pure Ed25519 (RFC 8032) over `message`.
[[nodiscard]] bool
is_signed_by(const PublicKey& key, ByteView message, std::span<const std::uint8_t, 64> signature);

/// The largest signature file that is read.
inline constexpr std::size_t k_signature_limit_bytes = 16U << 10U;

/// minisign's own bound of the trusted comment.
inline constexpr std::size_t k_trusted_comment_limit_bytes = 8192;

using RawSignature = std::array<std::uint8_t, 64>;

/// The digest signed with Ed25519 ("ED"), and a trusted comment that a second, global signature
/// covers.
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

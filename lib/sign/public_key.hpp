// An Ed25519 public key in minisign's format: two lines, of which the second is the base64 of
// "Ed", 8 bytes of key id and the 32 bytes of the key (jedisct1.github.io/minisign, "Public key
// format"). That line alone, 56 characters, is what people write down.
#pragma once

#include "base/bytes.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rb::sign {

using KeyId = std::array<std::uint8_t, 8>;

/// As minisign prints it: 16 upper-case hex digits, the last byte first.
[[nodiscard]] std::string to_string(const KeyId& id);

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

} // namespace rb::sign

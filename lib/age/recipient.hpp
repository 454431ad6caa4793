// An X25519 recipient (c2sp.org/age, "The X25519 recipient type"): the public key to encrypt to.
#pragma once

#include "base/result.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rb::age {

using PublicKey = std::array<std::uint8_t, 32>;

class Recipient {
public:
  explicit Recipient(const PublicKey& key) : m_key(key) {}

  /// Parses "age1…" (Bech32, 62 characters). Surrounding white space is not removed.
  /// Errors: unsupported (post-quantum age1pq1, tagged and plugin age1NAME1, ssh-…, scrypt),
  /// invalid_argument (anything else). An identity that was given by mistake is never repeated in
  /// the message.
  [[nodiscard]] static Result<Recipient> parse(std::string_view text);

  /// "age1…", as `age-keygen -y` prints it.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] const PublicKey& key() const { return m_key; }

  friend bool operator==(const Recipient&, const Recipient&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a defaulted comparison for a pointer
  friend auto operator<=>(const Recipient&, const Recipient&) = default;

private:
  PublicKey m_key;
};

} // namespace rb::age

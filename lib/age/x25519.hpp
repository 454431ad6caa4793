// X25519 keys, the usual ones of age (c2sp.org/age, "The X25519 recipient type"): their text and
// their stanza.
#pragma once

#include "age/header.hpp"
#include "age/primitives.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::age {

/// "age1…", 62 characters.
struct X25519Recipient {
  static constexpr bool k_post_quantum = false;
  static constexpr std::size_t k_stanza_bytes = 98; ///< As text, in a header.

  PublicKey key{};

  /// Errors: invalid_argument.
  [[nodiscard]] static Result<X25519Recipient> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  /// Errors: corrupt (a point of low order), internal.
  [[nodiscard]] Result<Stanza> wrap(ByteView file_key) const;

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a defaulted comparison for a pointer
  friend auto operator<=>(const X25519Recipient&, const X25519Recipient&) = default;
};

/// "AGE-SECRET-KEY-1…", 74 characters. Wiped when it goes.
struct X25519Identity {
  static constexpr std::string_view k_stanza_type = "X25519";

  SecretBytes secret; ///< The 32 bytes of the scalar.
  X25519Recipient recipient;

  /// Errors: invalid_argument.
  [[nodiscard]] static Result<X25519Identity> parse(std::string_view text);
  /// Precondition: 32 bytes. Errors: internal.
  [[nodiscard]] static Result<X25519Identity> from_secret(SecretBytes secret);
  [[nodiscard]] SecretBytes text() const;

  /// The file key; nothing when the stanza was made for another key. Precondition: it is of
  /// k_stanza_type. Errors: corrupt (malformed, or a share of low order), internal.
  [[nodiscard]] Result<std::optional<SecretBytes>> unwrap(const Stanza& stanza) const;
};

} // namespace rb::age

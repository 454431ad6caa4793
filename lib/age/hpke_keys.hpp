// The keys of age 1.3 whose stanzas are messages of HPKE (c2sp.org/age, "The mlkem768x25519
// recipient type", "The p256tag recipient type", "The mlkem768p256tag recipient type"):
// post-quantum ones in a file, and those of hardware tokens, which are encrypted to and open with
// age and the token's plugin.
#pragma once

#include "age/header.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::age {

/// "age1pq1…", some 1,960 characters: ML-KEM-768 and X25519.
struct HybridRecipient {
  static constexpr bool k_post_quantum = true;
  static constexpr std::size_t k_stanza_bytes = 1557; ///< As text, in a header.

  Bytes key;

  /// Errors: invalid_argument, unsupported (no ML-KEM in this OpenSSL).
  [[nodiscard]] static Result<HybridRecipient> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  /// Errors: corrupt (a point of low order), internal.
  [[nodiscard]] Result<Stanza> wrap(ByteView file_key) const;

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a defaulted comparison for a pointer
  friend auto operator<=>(const HybridRecipient&, const HybridRecipient&) = default;
};

/// "AGE-SECRET-KEY-PQ-1…", or as age-plugin-pq writes it, "AGE-PLUGIN-PQ-1…". Wiped when it goes.
struct HybridIdentity {
  static constexpr std::string_view k_stanza_type = "mlkem768x25519";

  /// Whether parse() is to be asked.
  [[nodiscard]] static bool is_one(std::string_view text) {
    return text.starts_with("AGE-SECRET-KEY-PQ-1") || text.starts_with("AGE-PLUGIN-PQ-1");
  }

  SecretBytes seed; ///< 32 bytes, which both private keys come from.
  HybridRecipient recipient;

  /// Errors: invalid_argument, unsupported (no ML-KEM in this OpenSSL).
  [[nodiscard]] static Result<HybridIdentity> parse(std::string_view text);
  /// Precondition: 32 bytes. Errors: unsupported (as above), internal.
  [[nodiscard]] static Result<HybridIdentity> from_seed(SecretBytes seed);
  /// The first form, whichever it was parsed of.
  [[nodiscard]] SecretBytes text() const;

  /// The file key; nothing when the stanza was made for another key. Precondition: it is of
  /// k_stanza_type. Errors: corrupt (malformed, or a share of low order), internal.
  [[nodiscard]] Result<std::optional<SecretBytes>> unwrap(const Stanza& stanza) const;
};

/// "age1tag1…": a token's key of P-256.
struct TagRecipient {
  static constexpr bool k_post_quantum = false;
  static constexpr std::size_t k_stanza_bytes = 150;

  Bytes key; ///< A compressed point.

  /// Errors: invalid_argument.
  [[nodiscard]] static Result<TagRecipient> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  /// Errors: internal.
  [[nodiscard]] Result<Stanza> wrap(ByteView file_key) const;

  // NOLINTNEXTLINE(modernize-use-nullptr): as above
  friend auto operator<=>(const TagRecipient&, const TagRecipient&) = default;
};

/// "age1tagpq1…": a token's keys of ML-KEM-768 and P-256.
struct HybridTagRecipient {
  static constexpr bool k_post_quantum = true;
  static constexpr std::size_t k_stanza_bytes = 1609;

  Bytes key;

  /// Errors: invalid_argument, unsupported (no ML-KEM in this OpenSSL).
  [[nodiscard]] static Result<HybridTagRecipient> parse(std::string_view text);
  [[nodiscard]] std::string text() const;

  /// Errors: internal.
  [[nodiscard]] Result<Stanza> wrap(ByteView file_key) const;

  // NOLINTNEXTLINE(modernize-use-nullptr): as above
  friend auto operator<=>(const HybridTagRecipient&, const HybridTagRecipient&) = default;
};

} // namespace rb::age

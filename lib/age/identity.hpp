// An X25519 identity (c2sp.org/age): the private key that opens files. Wiped when it goes.
#pragma once

#include "age/recipient.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <string_view>

namespace rb::age {

/// Move-only. No member and no error gives away the key but text() and secret().
class Identity {
public:
  /// Parses "AGE-SECRET-KEY-1…" (Bech32, upper case, 74 characters).
  /// Errors: unsupported (AGE-SECRET-KEY-PQ-1, AGE-PLUGIN-…), invalid_argument (anything else).
  /// Messages never repeat any part of `text`.
  [[nodiscard]] static Result<Identity> parse(std::string_view text);

  /// A new random identity. Errors: internal (no randomness).
  [[nodiscard]] static Result<Identity> generate();

  /// "AGE-SECRET-KEY-1…", without a newline.
  [[nodiscard]] SecretBytes text() const;

  [[nodiscard]] const Recipient& recipient() const { return m_recipient; }

  /// The 32 bytes of the X25519 scalar.
  [[nodiscard]] ByteView secret() const { return m_secret.view(); }

private:
  Identity(SecretBytes secret, const Recipient& recipient)
      : m_secret(std::move(secret)), m_recipient(recipient) {}
  [[nodiscard]] static Result<Identity> from_secret(SecretBytes secret);

  SecretBytes m_secret;
  Recipient m_recipient;
};

} // namespace rb::age

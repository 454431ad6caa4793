// X25519 keys (c2sp.org/age, "The X25519 recipient type"): a recipient is the public key to encrypt
// to, an identity the private key that opens; and the file that age and SOPS keep identities in
// (~/.config/sops/age/keys.txt).
#pragma once

#include "age/primitives.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rb::age {

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

/// Move-only, wiped when it goes. No member and no error gives away the key but text() and
/// secret().
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

/// age refuses larger ones, too.
inline constexpr std::size_t k_identity_file_limit_bytes = std::size_t{16} << 20U;

struct IdentityFile {
  std::vector<Identity> identities;  ///< At least one.
  std::vector<std::string> warnings; ///< One a skipped line or block; no key material.
};

/// `words`: several identities in a line, as SOPS_AGE_KEY may have them.
enum class IdentityLayout { lines, words };

/// True for an age file, binary or armored: decrypt_bytes_with_passphrase() opens it.
[[nodiscard]] bool is_encrypted_identity_file(std::string_view text);

/// One identity a line; empty lines and lines that begin with '#' are skipped; LF or CRLF; no
/// white space around an identity (as in SOPS). Post-quantum and plugin identities and private
/// SSH keys are skipped with a warning.
/// Errors: not_found (no identity in it), unsupported (only kinds that we cannot use, or an
/// identity file that is itself encrypted), invalid_argument (a line that is none of these; the
/// message gives its number, never its text).
[[nodiscard]] Result<IdentityFile>
parse_identity_file(std::string_view text, IdentityLayout layout = IdentityLayout::lines);

} // namespace rb::age

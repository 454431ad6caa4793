// The keys of age: a recipient is the public key to encrypt to, an identity the private key that
// opens; and the file that age and SOPS keep identities in (~/.config/sops/age/keys.txt, an OpenSSH
// private key). What each kind is: x25519.hpp, hpke_keys.hpp, ssh_key.hpp.
#pragma once

#include "age/hpke_keys.hpp"
#include "age/ssh_key.hpp"
#include "age/x25519.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace rb::age {

class Recipient {
public:
  using Kind = std::
      variant<X25519Recipient, HybridRecipient, TagRecipient, HybridTagRecipient, SshRecipient>;

  explicit Recipient(Kind kind) : m_kind(std::move(kind)) {}

  /// Parses "age1…", "age1pq1…", "age1tag1…", "age1tagpq1…" (Bech32) and "ssh-ed25519 …".
  /// Surrounding white space is not removed.
  /// Errors: unsupported (plugins' age1NAME1, ssh-rsa, scrypt; post-quantum ones where OpenSSL has
  /// no ML-KEM), invalid_argument (anything else). An identity that was given by mistake is never
  /// repeated in the message.
  [[nodiscard]] static Result<Recipient> parse(std::string_view text);

  /// As it was parsed, without the comment of an SSH key; what `age -r` takes.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool post_quantum() const;

  /// A stanza by which its identity finds the file key. Errors: invalid_argument (a point of low
  /// order), internal.
  [[nodiscard]] Result<Stanza> wrap(ByteView file_key) const;

  /// The size of that stanza in a header.
  [[nodiscard]] std::size_t stanza_bytes() const;

  friend bool operator==(const Recipient&, const Recipient&) = default;
  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a defaulted comparison for a pointer
  friend auto operator<=>(const Recipient&, const Recipient&) = default;

private:
  Kind m_kind;
};

/// Whether one file may be for all of them: a post-quantum recipient has only its like beside it,
/// as age has it, since any other would open the file to whoever breaks that one. Errors:
/// invalid_argument.
[[nodiscard]] Status check_together(std::span<const Recipient> recipients);

/// One text for who may open a file, the same in any order and with duplicates: the SHA-256 in hex
/// of their texts, sorted, each with a newline.
[[nodiscard]] std::string recipients_sha256(std::span<const Recipient> recipients);

/// A recipient's text for people: its beginning and end where it is longer than a line.
[[nodiscard]] std::string shortened(std::string_view recipient);

/// Move-only, wiped when it goes. No member and no error gives away the key but text().
class Identity {
public:
  using Kind = std::variant<X25519Identity, HybridIdentity, SshIdentity>;

  explicit Identity(Kind kind);

  /// Parses "AGE-SECRET-KEY-1…", "AGE-SECRET-KEY-PQ-1…" and "AGE-PLUGIN-PQ-1…" (Bech32, upper
  /// case). Errors: unsupported (other plugins' keys; the post-quantum one where OpenSSL has no
  /// ML-KEM), invalid_argument (anything else). Messages never repeat any part of `text`.
  [[nodiscard]] static Result<Identity> parse(std::string_view text);

  /// A new random X25519 identity. Errors: internal (no randomness).
  [[nodiscard]] static Result<Identity> generate();

  /// "AGE-SECRET-KEY-1…", without a newline; of an SSH key, the whole file.
  [[nodiscard]] SecretBytes text() const;

  [[nodiscard]] const Recipient& recipient() const { return m_recipient; }

  /// The file key; nothing when the stanza is of another type or made for another key. Errors:
  /// corrupt (a malformed stanza of this type), internal.
  [[nodiscard]] Result<std::optional<SecretBytes>> unwrap(const Stanza& stanza) const;

private:
  Kind m_kind;
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

/// One identity a line; empty lines and lines that begin with '#' are skipped; LF or CRLF, and
/// perhaps a byte order mark at the beginning. Blanks around a line count for nothing, unlike in
/// SOPS and age: whoever restores may have typed or pasted the key. An OpenSSH private key is a
/// block of lines, also in PKCS #8, and gives two identities: its own, and that of its age1…
/// (SshIdentity::x25519). What we cannot use is skipped with a warning: plugins' identities, other
/// private keys in PEM, those with a passphrase, post-quantum ones where OpenSSL has no ML-KEM.
/// Errors: not_found (no identity in it), unsupported (only kinds that we cannot use, or an
/// identity file that is itself encrypted), invalid_argument (a line that is none of these; the
/// message gives its number, never its text).
[[nodiscard]] Result<IdentityFile>
parse_identity_file(std::string_view text, IdentityLayout layout = IdentityLayout::lines);

} // namespace rb::age

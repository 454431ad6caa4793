// SSH keys of the type ssh-ed25519 as age uses them (filippo.io/age/agessh): their line, their
// private key file and their stanza. The key exchange is X25519 on the point that belongs to the
// Ed25519 key.
#pragma once

#include "age/header.hpp"
#include "age/primitives.hpp"
#include "age/x25519.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace rb::age {

/// "ssh-ed25519 AAAA…".
struct SshRecipient {
  static constexpr bool k_post_quantum = false;
  static constexpr std::size_t k_stanza_bytes = 110; ///< As text, in a header.

  PublicKey key{}; ///< Of Ed25519.

  /// A line of authorized_keys without options; a comment at its end counts for nothing. Errors:
  /// invalid_argument (malformed; no point of the curve; a comment that looks like a recipient),
  /// unsupported (ssh-rsa and other types).
  [[nodiscard]] static Result<SshRecipient> parse(std::string_view text);
  /// Without a comment.
  [[nodiscard]] std::string text() const;

  /// Errors: corrupt (a point of low order), internal.
  [[nodiscard]] Result<Stanza> wrap(ByteView file_key) const;

  // NOLINTNEXTLINE(modernize-use-nullptr): it takes the 0 of a defaulted comparison for a pointer
  friend auto operator<=>(const SshRecipient&, const SshRecipient&) = default;
};

/// Wiped when it goes.
struct SshIdentity {
  static constexpr std::string_view k_stanza_type = "ssh-ed25519";

  SecretBytes seed; ///< 32 bytes: the private key of Ed25519.
  SshRecipient recipient;

  /// Precondition: 32 bytes. Errors: internal.
  [[nodiscard]] static Result<SshIdentity> from_seed(SecretBytes seed);
  /// `pem`: a whole private key file of OpenSSH, or one in PKCS #8 (openssh_key.hpp, which says the
  /// errors).
  [[nodiscard]] static Result<SshIdentity> parse(std::string_view pem);
  /// Such a file.
  [[nodiscard]] SecretBytes text() const;

  /// The file key; nothing when the stanza was made for another key. Precondition: it is of
  /// k_stanza_type. Errors: corrupt (malformed, or a share of low order), internal.
  [[nodiscard]] Result<std::optional<SecretBytes>> unwrap(const Stanza& stanza) const;

  /// The key of X25519 that belongs to it: its recipient is the "age1…" that ssh-to-age makes of
  /// the public key, and sops-nix with it. Errors: internal.
  [[nodiscard]] Result<X25519Identity> x25519() const;
};

} // namespace rb::age

// Decryption of age files (age-encryption.org/v1, c2sp.org/age), binary or armored.
#pragma once

#include "age/identity.hpp"
#include "age/io.hpp"
#include "age/options.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstdint>
#include <functional>
#include <span>

namespace rb::age {

/// Gives the passphrase; asked only for a file that is opened by one.
using AskPassphrase = std::function<Result<SecretBytes>()>;

struct DecryptSummary {
  std::uint64_t plaintext_bytes = 0;
  std::uint64_t ciphertext_bytes = 0; ///< As read, armor included.
  bool armored = false;
};

/// Where a decryption failed, in the classes of the C2SP test kit.
enum class DecryptFailure {
  none,
  armor,       ///< Not strict ASCII armor.
  header,      ///< Not a well-formed header, or a stanza in it is malformed.
  unsupported, ///< Opened only by a passphrase, a post-quantum, plugin or SSH key.
  no_match,    ///< Well-formed, but no identity opens it.
  mac,         ///< An identity fits, but the header was altered.
  payload,     ///< A chunk was altered, cut off, or is followed by other data.
  other,       ///< Source, sink, cancellation, or a failure inside.
};

/// Reads one age file from `source` to its end and writes its plaintext to `sink`, in constant
/// memory. ASCII armor is detected. Nothing is written before the chunk that holds it was
/// authenticated; after a failure of a later chunk `sink` holds a true beginning of the plaintext,
/// and the caller decides that it must not be used. `failure`, when given, is set in every case.
/// Errors: corrupt (armor, header, mac, payload), no_matching_identity, unsupported,
/// invalid_argument (no identity given), cancelled, internal, and those of `source` and `sink`.
[[nodiscard]] Result<DecryptSummary> decrypt(Source& source,
                                             Sink& sink,
                                             std::span<const Identity> identities,
                                             const StreamOptions& options = {},
                                             DecryptFailure* failure = nullptr);

/// As decrypt(), for what fits in memory; the result is wiped when it goes.
[[nodiscard]] Result<SecretBytes> decrypt_bytes(ByteView ciphertext,
                                                std::span<const Identity> identities);

/// As decrypt_bytes(), for a file that a passphrase protects (`age -p`); `ask` is asked only for
/// such a file. Errors: no_matching_identity (another passphrase), unsupported (made for keys), and
/// those of `ask`.
[[nodiscard]] Result<SecretBytes> decrypt_bytes_with_passphrase(ByteView ciphertext,
                                                                const AskPassphrase& ask,
                                                                DecryptFailure* failure = nullptr);

} // namespace rb::age

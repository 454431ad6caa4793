// Age files (age-encryption.org/v1, c2sp.org/age) as streams: encryption to recipients, decryption,
// binary or armored, and the change of recipients.
#pragma once

#include "age/file_key.hpp"
#include "age/identity.hpp"
#include "age/io.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace rb::age {

/// Reads `source` to its end and writes one age file to `sink`, in constant memory (about 1.5 MiB
/// with two threads). Each recipient alone can open it; duplicates get one stanza.
/// Errors: those of make_header(), cancelled, and whatever `source` and `sink` return. After an
/// error `sink` holds a part that must be thrown away.
[[nodiscard]] Status encrypt(Source& source,
                             Sink& sink,
                             std::span<const Recipient> recipients,
                             const StreamOptions& options = {});

/// As encrypt(), for what fits in memory.
[[nodiscard]] Result<Bytes> encrypt_bytes(ByteView plaintext,
                                          std::span<const Recipient> recipients);

/// The exact size of the file that encrypt() makes of `plaintext_bytes` for `recipients` without
/// duplicates.
[[nodiscard]] std::uint64_t encrypted_size_bytes(std::uint64_t plaintext_bytes,
                                                 std::span<const Recipient> recipients);

/// Reads one age file from `source` to its end and writes its plaintext to `sink`, in constant
/// memory. ASCII armor is detected. Nothing is written before the chunk that holds it was
/// authenticated; after a failure of a later chunk `sink` holds a true beginning of the plaintext,
/// and the caller decides that it must not be used. `failure`, when given, is set in every case.
/// Errors: corrupt (armor, header, mac, payload), no_matching_identity, unsupported,
/// invalid_argument (no identity given), cancelled, internal, and those of `source` and `sink`.
[[nodiscard]] Status decrypt(Source& source,
                             Sink& sink,
                             std::span<const Identity> identities,
                             const StreamOptions& options = {},
                             DecryptFailure* failure = nullptr);

/// Reads one binary age file from `source` to its end and writes the same file for `recipients` to
/// `sink`, in constant memory: the header is a new one that wraps the same file key, nonce and
/// payload are copied. The recipients of before open what is written no more.
///
/// What is checked: the header's MAC, so `source` has a header that somebody made who knew the file
/// key. What is not: the payload's tags, for nothing is decrypted. A file whose payload is damaged
/// is copied with its damage, so the caller compares the digest of what was read, or of what is
/// there now with the header of before, with one that he trusts before he uses what was written.
/// Whoever holds an identity of before and the old file can open both: the file key stays.
///
/// Takes on_header, on_ciphertext (of what is read), progress (bytes copied) and stop of the
/// options. Errors: those of encrypt() for the recipients, of decrypt() for the header, of `source`
/// and `sink`.
[[nodiscard]] Status rewrap(Source& source,
                            Sink& sink,
                            std::span<const Identity> identities,
                            std::span<const Recipient> recipients,
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

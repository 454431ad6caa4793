// Encryption to X25519 recipients in the format age-encryption.org/v1 (c2sp.org/age).
#pragma once

#include "age/io.hpp"
#include "age/options.hpp"
#include "age/recipient.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace rb::age {

struct EncryptSummary {
  std::uint64_t plaintext_bytes = 0;
  std::uint64_t ciphertext_bytes = 0; ///< Header included.
};

/// Reads `source` to its end and writes one age file to `sink`, in constant memory (about 1.5 MiB
/// with two threads). Each recipient alone can open it; duplicates get one stanza.
/// Errors: invalid_argument (no recipient, more than 1,024), cancelled, internal, and whatever
/// `source` and `sink` return. After an error `sink` holds a part that must be thrown away.
[[nodiscard]] Result<EncryptSummary> encrypt(Source& source,
                                             Sink& sink,
                                             std::span<const Recipient> recipients,
                                             const StreamOptions& options = {});

/// As encrypt(), for what fits in memory.
[[nodiscard]] Result<Bytes> encrypt_bytes(ByteView plaintext,
                                          std::span<const Recipient> recipients);

/// The exact size of the file that encrypt() makes of `plaintext_bytes` for that many distinct
/// recipients.
[[nodiscard]] std::uint64_t encrypted_size_bytes(std::uint64_t plaintext_bytes,
                                                 std::size_t recipients);

} // namespace rb::age

// The key schedule of HPKE (RFC 9180, base mode, without a pre-shared key) with HKDF-SHA256 and
// ChaCha20-Poly1305, for the one message that a stanza is.
#pragma once

#include "age/primitives.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace rb::age::hpke {

// LabeledExtract and LabeledExpand of section 4; `suite` says of what the labels are. Errors:
// internal.
[[nodiscard]] Result<SecretBytes>
labeled_extract(ByteView suite, ByteView salt, std::string_view label, ByteView secret);
/// `size` is 32 at most.
[[nodiscard]] Result<SecretBytes> labeled_expand(
    ByteView suite, ByteView key, std::string_view label, ByteView info, std::size_t size);

/// Big-endian, as RFC 9180 writes numbers (I2OSP).
void append_number(Bytes& bytes, std::uint16_t number);

/// What the first message of a context is sealed with.
struct MessageKey {
  SecretBytes key;
  ChunkNonce nonce{};
};

/// `kem` is the number of the encapsulation that `shared_secret` comes from. Errors: internal.
[[nodiscard]] Result<MessageKey>
message_key(std::uint16_t kem, ByteView shared_secret, std::string_view info);

} // namespace rb::age::hpke

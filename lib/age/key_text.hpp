// What the texts of all kinds of keys have in common: Bech32 of a known size, and what is said of a
// text that is no key. No message repeats any part of what was given: it may be a private key.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace rb::age {

/// "recipient: malformed: WHAT", invalid_argument, with a hint.
[[nodiscard]] Error malformed_recipient(std::string_view what);
/// "recipient: KIND is not supported", unsupported, with a hint.
[[nodiscard]] Error unsupported_recipient(std::string_view kind);

/// "identity: malformed: WHAT", invalid_argument.
[[nodiscard]] Error malformed_identity(std::string_view what);
/// "identity: KIND is not supported", unsupported.
[[nodiscard]] Error unsupported_identity(std::string_view kind);

/// The bytes of a public key. `prefix`: what its Bech32 begins with, in lower case. Errors:
/// malformed_recipient().
[[nodiscard]] Result<Bytes>
decode_recipient(std::string_view text, std::string_view prefix, std::size_t size);
[[nodiscard]] std::string encode_recipient(std::string_view prefix, ByteView key);

/// The bytes of a private key, whose Bech32 is in upper case; `prefix` is, too. Errors:
/// malformed_identity().
[[nodiscard]] Result<SecretBytes>
decode_identity(std::string_view text, std::string_view prefix, std::size_t size);
[[nodiscard]] SecretBytes encode_identity(std::string_view prefix, ByteView key);

} // namespace rb::age

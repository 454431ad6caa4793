// The X25519 recipient type (c2sp.org/age): wraps the file key for a public key and back.
#pragma once

#include "age/header.hpp"
#include "age/identity.hpp"
#include "age/recipient.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <optional>

namespace rb::age {

inline constexpr std::size_t k_file_key_bytes = 16;

/// The file key in the body of a stanza, of the length that every recipient type of age makes.
/// Nothing: it was not sealed with this key. Errors: those of ChunkCipher::make.
[[nodiscard]] Result<std::optional<SecretBytes>> unwrap_file_key(ByteView wrapping_key,
                                                                 ByteView body);

inline constexpr std::string_view k_x25519_type = "X25519";

/// Errors: invalid_argument (the recipient is a point of low order), internal.
[[nodiscard]] Result<Stanza> wrap_x25519(ByteView file_key, const Recipient& recipient);

/// The file key, or nothing when `identity` is not the one that the stanza was made for.
/// Errors: corrupt (a malformed stanza), internal. Precondition: stanza.type is X25519.
[[nodiscard]] Result<std::optional<SecretBytes>> unwrap_x25519(const Stanza& stanza,
                                                               const Identity& identity);

} // namespace rb::age

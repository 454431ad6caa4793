// The keys that are made from the file key (c2sp.org/age, "Header MAC" and "Payload key").
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"
#include "base/sha256.hpp"

#include <string_view>

namespace rb::age {

inline constexpr std::size_t k_payload_nonce_bytes = 16;

/// `covered` is the header up to and with "---". Errors: internal.
[[nodiscard]] Result<Sha256Digest> header_mac(ByteView file_key, std::string_view covered);

/// Errors: internal.
[[nodiscard]] Result<SecretBytes> payload_key(ByteView file_key, ByteView payload_nonce);

} // namespace rb::age

// The cryptographic primitives that age is made of, on OpenSSL EVP.
#pragma once

#include "age/recipient.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"
#include "base/sha256.hpp"

#include <string_view>

namespace rb::age {

/// Fills `buffer` from the operating system's generator. Errors: internal.
[[nodiscard]] Status fill_random(MutableByteView buffer);

/// HKDF-SHA-256 (RFC 5869), 32 bytes. Errors: internal.
[[nodiscard]] Result<SecretBytes>
hkdf_sha256(ByteView secret, ByteView salt, std::string_view info);

/// scrypt (RFC 7914) with r = 8 and p = 1, 32 bytes; `work_factor` is the logarithm of N. It takes
/// 2^work_factor KiB of memory. Errors: unsupported (there is not so much), internal.
[[nodiscard]] Result<SecretBytes> scrypt(ByteView passphrase, ByteView salt, unsigned work_factor);

/// HMAC-SHA-256 (RFC 2104). Errors: internal.
[[nodiscard]] Result<Sha256Digest> hmac_sha256(ByteView key, ByteView message);

/// In a time that does not depend on the contents; false when the sizes differ.
[[nodiscard]] bool equal_constant_time(ByteView left, ByteView right);

/// The public key of a 32-byte scalar (RFC 7748). Errors: internal.
[[nodiscard]] Result<PublicKey> x25519_public_key(ByteView secret);

/// The shared secret of a scalar and a public key. Errors: corrupt (a point of low order, whose
/// shared secret would be zero), internal.
[[nodiscard]] Result<SecretBytes> x25519_shared_secret(ByteView secret, const PublicKey& peer);

} // namespace rb::age

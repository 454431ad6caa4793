// What age is made of: the cryptographic primitives on OpenSSL EVP, the keys that are derived from
// the file key, the file key in a stanza, and one chunk of the payload. Knows nothing of files.
#pragma once

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

struct evp_cipher_ctx_st;

namespace rb::age {

using PublicKey = std::array<std::uint8_t, 32>;

/// Fills `buffer` from the operating system's generator. Errors: internal.
[[nodiscard]] Status fill_random(MutableByteView buffer);

/// HKDF-SHA-256 (RFC 5869), 32 bytes. Errors: internal.
[[nodiscard]] Result<SecretBytes>
hkdf_sha256(ByteView secret, ByteView salt, std::string_view info);

/// The two halves of it; `size` is 32 at most. Errors: internal.
[[nodiscard]] Result<SecretBytes> hkdf_extract(ByteView secret, ByteView salt);
[[nodiscard]] Result<SecretBytes> hkdf_expand(ByteView key, ByteView info, std::size_t size);

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

// The keys that are made from the file key (c2sp.org/age, "Header MAC" and "Payload key").

inline constexpr std::size_t k_payload_nonce_bytes = 16;

/// `covered` is the header up to and with "---". Errors: internal.
[[nodiscard]] Result<Sha256Digest> header_mac(ByteView file_key, std::string_view covered);

/// Errors: internal.
[[nodiscard]] Result<SecretBytes> payload_key(ByteView file_key, ByteView payload_nonce);

// One chunk of the STREAM construction (c2sp.org/age, "Payload"): ChaCha20-Poly1305 in place.

inline constexpr std::size_t k_chunk_bytes = std::size_t{64} << 10U;
inline constexpr std::size_t k_tag_bytes = 16;
inline constexpr std::size_t k_sealed_chunk_bytes = k_chunk_bytes + k_tag_bytes;

using ChunkNonce = std::array<std::uint8_t, 12>;

/// 11 bytes of big-endian counter, then 1 for the last chunk of a file, else 0.
[[nodiscard]] ChunkNonce chunk_nonce(std::uint64_t index, bool final_chunk);

/// Keyed once, then used for many chunks by one thread at a time.
class ChunkCipher {
public:
  enum class Direction { seal, open };

  /// `key` has 32 bytes. Errors: internal.
  [[nodiscard]] static Result<ChunkCipher> make(ByteView key, Direction direction);

  /// `chunk` is the plaintext followed by room for the tag; afterwards the ciphertext and tag.
  /// False only when OpenSSL fails. Precondition: made with Direction::seal.
  [[nodiscard]] bool seal(const ChunkNonce& nonce, MutableByteView chunk);

  /// `chunk` is ciphertext and tag, at least 16 bytes; afterwards the plaintext before the old tag.
  /// False when it is not authentic: `chunk` then is as it was given.
  /// Precondition: made with Direction::open.
  [[nodiscard]] bool open(const ChunkNonce& nonce, MutableByteView chunk);

private:
  struct Free {
    void operator()(evp_cipher_ctx_st* context) const;
  };
  using Context = std::unique_ptr<evp_cipher_ctx_st, Free>;

  explicit ChunkCipher(Context context) : m_context(std::move(context)) {}
  [[nodiscard]] bool apply(const ChunkNonce& nonce, MutableByteView text);

  Context m_context;
};

// The body of a stanza: the file key, sealed with a key that only one recipient can find.

inline constexpr std::size_t k_file_key_bytes = 16;
inline constexpr std::size_t k_sealed_file_key_bytes = k_file_key_bytes + k_tag_bytes;

/// Errors: internal.
[[nodiscard]] Result<Bytes>
seal_file_key(ByteView wrapping_key, ByteView file_key, const ChunkNonce& nonce = {});

/// Nothing: it was not sealed with this key. Precondition: `body` has k_sealed_file_key_bytes.
/// Errors: internal.
[[nodiscard]] Result<std::optional<SecretBytes>>
open_file_key(ByteView wrapping_key, ByteView body, const ChunkNonce& nonce = {});

} // namespace rb::age

// One chunk of the STREAM construction (c2sp.org/age, "Payload"): ChaCha20-Poly1305 in place.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

struct evp_cipher_ctx_st;

namespace rb::age {

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

} // namespace rb::age

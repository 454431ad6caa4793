#include "age/sealer.hpp"

#include <algorithm>

namespace rb::age {

void Sealer::apply(Batch& batch) {
  const std::size_t chunks =
      std::max<std::size_t>(1, (batch.input_bytes + k_chunk_bytes - 1) / k_chunk_bytes);
  std::size_t left = batch.input_bytes;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t plain_bytes = std::min(left, k_chunk_bytes);
    left -= plain_bytes;
    const bool final_chunk = batch.at_end && i + 1 == chunks;
    const std::size_t sealed_bytes = plain_bytes + k_tag_bytes;
    if (!m_cipher.seal(chunk_nonce(batch.first_chunk + i, final_chunk),
                       batch.chunk(i, sealed_bytes))) {
      batch.error = Error{ErrorCode::internal, "chacha20-poly1305: openssl failed", {}};
      return;
    }
    batch.output_chunks = i + 1;
    batch.last_output_bytes = sealed_bytes;
  }
}

} // namespace rb::age

// A batch of chunks: what one thread takes at a time, and one slot of the pipeline's ring.
#pragma once

#include "age/chunk_cipher.hpp"
#include "age/io.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>

namespace rb::age {

/// 256 KiB: as fast as larger ones, and they stay in the second-level cache.
inline constexpr std::size_t k_batch_chunks = 4;

/// Chunks lie k_sealed_chunk_bytes apart, plaintext or sealed, so that both fit in place.
struct Batch {
  SecretBytes buffer;                ///< Made when the batch is first filled; wiped at the end.
  std::uint64_t first_chunk = 0;     ///< Index in the file of its first chunk.
  std::size_t input_bytes = 0;       ///< Read, the gaps not counted.
  bool at_end = false;               ///< The input ends after this batch.
  std::size_t output_chunks = 0;     ///< Ready to be written: all chunks, or those before an error.
  std::size_t last_output_bytes = 0; ///< Size of the last of them; the others are full.
  std::optional<Error> error;        ///< To be raised after its output was written.

  [[nodiscard]] MutableByteView chunk(std::size_t index, std::size_t size) {
    return buffer.span().subspan(index * k_sealed_chunk_bytes, size);
  }
};

/// Reads up to k_batch_chunks chunks of `chunk_bytes` each into `batch`. A failure of the source
/// goes to batch.error, so that it is raised in its turn. Returns false when the input has ended.
[[nodiscard]] bool fill(Batch& batch, Source& source, std::size_t chunk_bytes);

} // namespace rb::age

#include "age/batch.hpp"

namespace rb::age {

bool fill(Batch& batch, Source& source, std::size_t chunk_bytes) {
  if (batch.buffer.empty()) {
    batch.buffer = SecretBytes(k_batch_chunks * k_sealed_chunk_bytes);
  }
  batch.input_bytes = 0;
  batch.at_end = false;
  batch.output_chunks = 0;
  batch.last_output_bytes = 0;
  batch.error.reset();
  for (std::size_t i = 0; i < k_batch_chunks; ++i) {
    auto got = source.read(batch.chunk(i, chunk_bytes));
    if (!got) {
      batch.error = std::move(got).error();
      return false;
    }
    batch.input_bytes += *got;
    if (*got < chunk_bytes) {
      return false;
    }
  }
  return true;
}

} // namespace rb::age

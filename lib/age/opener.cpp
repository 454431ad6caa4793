#include "age/opener.hpp"

#include <algorithm>
#include <string>

namespace rb::age {

void Opener::apply(Batch& batch) {
  const std::size_t chunks = (batch.input_bytes + k_sealed_chunk_bytes - 1) / k_sealed_chunk_bytes;
  if (chunks == 0) {
    stop(batch, "payload: cut off before its first chunk");
    return;
  }
  std::size_t left = batch.input_bytes;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t size = std::min(left, k_sealed_chunk_bytes);
    left -= size;
    if (!open_chunk(batch, i, size, batch.at_end && i + 1 == chunks)) {
      return;
    }
  }
}

/// False after an error, which is in the batch then. A full chunk that is authentic, but final too
/// early or not final at the end, counts as output before the error: its bytes are true.
bool Opener::open_chunk(Batch& batch, std::size_t index, std::size_t size, bool at_end) {
  const std::uint64_t number = batch.first_chunk + index;
  if (size < k_tag_bytes) {
    stop(batch, "payload: cut off in chunk " + std::to_string(number));
    return false;
  }
  if (at_end && number > 0 && size == k_tag_bytes) {
    stop(batch, "payload: the final chunk is empty");
    return false;
  }
  const MutableByteView chunk = batch.chunk(index, size);
  const bool as_expected = m_cipher.open(chunk_nonce(number, at_end), chunk);
  const bool otherwise = !as_expected && size == k_sealed_chunk_bytes &&
                         m_cipher.open(chunk_nonce(number, !at_end), chunk);
  if (!as_expected && !otherwise) {
    stop(batch,
         "payload: chunk " + std::to_string(number) + " is not authentic: altered or damaged");
    return false;
  }
  batch.output_chunks = index + 1;
  batch.last_output_bytes = size - k_tag_bytes;
  if (otherwise) {
    stop(batch,
         at_end ? "payload: cut off: no final chunk" : "payload: data after the final chunk");
  }
  return as_expected;
}

void Opener::stop(Batch& batch, std::string message) {
  m_found_damage = true;
  batch.error = Error{ErrorCode::corrupt, std::move(message), {}};
}

} // namespace rb::age

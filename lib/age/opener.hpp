// Opens the chunks of a batch in place, up to the first that is not what the format demands.
#pragma once

#include "age/chunk_cipher.hpp"
#include "age/pipeline.hpp"

namespace rb::age {

class Opener final : public BatchTransform {
public:
  explicit Opener(ChunkCipher cipher) : m_cipher(std::move(cipher)) {}

  /// Errors (in the batch): corrupt: a chunk that is not authentic, no final chunk, data after it,
  /// or an empty final chunk after others.
  void apply(Batch& batch) override;

  /// True once apply() has set an error.
  [[nodiscard]] bool found_damage() const { return m_found_damage; }

private:
  void stop(Batch& batch, std::string message);
  [[nodiscard]] bool open_chunk(Batch& batch, std::size_t index, std::size_t size, bool at_end);

  ChunkCipher m_cipher;
  bool m_found_damage = false;
};

} // namespace rb::age

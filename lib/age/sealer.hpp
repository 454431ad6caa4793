// Seals the chunks of a batch in place.
#pragma once

#include "age/chunk_cipher.hpp"
#include "age/pipeline.hpp"

namespace rb::age {

class Sealer final : public BatchTransform {
public:
  explicit Sealer(ChunkCipher cipher) : m_cipher(std::move(cipher)) {}

  /// The last chunk of the input is marked final; an empty input gives one empty chunk.
  void apply(Batch& batch) override;

private:
  ChunkCipher m_cipher;
};

} // namespace rb::age

#include "age/payload.hpp"

#include "age/pipeline.hpp"
#include "age/primitives.hpp"

#include <sched.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace rb::age {

namespace {

constexpr unsigned k_default_threads = 2;

/// Seals the chunks of a batch in place.
class Sealer final : public BatchTransform {
public:
  explicit Sealer(ChunkCipher cipher) : m_cipher(std::move(cipher)) {}

  /// The last chunk of the input is marked final; an empty input gives one empty chunk.
  void apply(Batch& batch) override;

private:
  ChunkCipher m_cipher;
};

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

/// Opens the chunks of a batch in place, up to the first that is not what the format demands.
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

/// Leaves what it gets as it is.
class Copier final : public BatchTransform {
public:
  void apply(Batch& batch) override {
    const std::size_t chunks =
        (batch.input_bytes + k_sealed_chunk_bytes - 1) / k_sealed_chunk_bytes;
    batch.output_chunks = chunks;
    batch.last_output_bytes =
        chunks == 0 ? 0 : batch.input_bytes - (chunks - 1) * k_sealed_chunk_bytes;
  }
};

/// At least 1; never more than the processors that this process may run on.
unsigned thread_count(unsigned wanted) {
  unsigned processors = 1;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    processors = static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
  }
  return std::clamp(wanted == 0 ? k_default_threads : wanted, 1U, processors);
}

template <typename Transform>
Result<std::vector<std::unique_ptr<BatchTransform>>>
make_transforms(ByteView key, ChunkCipher::Direction direction, unsigned threads) {
  std::vector<std::unique_ptr<BatchTransform>> transforms;
  for (unsigned i = 0; i < thread_count(threads); ++i) {
    RB_TRY_ASSIGN(ChunkCipher cipher, ChunkCipher::make(key, direction));
    transforms.push_back(std::make_unique<Transform>(std::move(cipher)));
  }
  return transforms;
}

} // namespace

Result<std::uint64_t>
seal_payload(Source& source, Sink& sink, ByteView key, const StreamOptions& options) {
  RB_TRY_ASSIGN(const auto transforms,
                make_transforms<Sealer>(key, ChunkCipher::Direction::seal, options.threads));
  PipelineSpec spec;
  spec.input_chunk_bytes = k_chunk_bytes;
  spec.output_chunk_bytes = k_sealed_chunk_bytes;
  spec.on_input = options.on_plaintext;
  spec.stop = options.stop;
  if (options.progress) {
    spec.progress = [&options](std::uint64_t sealed) {
      const std::uint64_t chunks = (sealed + k_sealed_chunk_bytes - 1) / k_sealed_chunk_bytes;
      options.progress(sealed - chunks * k_tag_bytes);
    };
  }
  return Pipeline(source, sink, spec, transforms).run();
}

OpenedPayload open_payload(Source& source, Sink& sink, ByteView key, const StreamOptions& options) {
  auto transforms = make_transforms<Opener>(key, ChunkCipher::Direction::open, options.threads);
  if (!transforms) {
    return {std::move(transforms).error(), false};
  }
  PipelineSpec spec;
  spec.input_chunk_bytes = k_sealed_chunk_bytes;
  spec.output_chunk_bytes = k_chunk_bytes;
  spec.on_output = options.on_plaintext;
  spec.progress = options.progress;
  spec.stop = options.stop;
  OpenedPayload opened{Pipeline(source, sink, spec, *transforms).run(), false};
  opened.damaged = std::any_of(transforms->begin(), transforms->end(), [](const auto& transform) {
    return static_cast<const Opener&>(*transform).found_damage();
  });
  return opened;
}

Result<std::uint64_t> copy_sealed(Source& source, Sink& sink, const StreamOptions& options) {
  std::vector<std::unique_ptr<BatchTransform>> transforms;
  for (unsigned i = 0; i < thread_count(options.threads); ++i) {
    transforms.push_back(std::make_unique<Copier>());
  }
  PipelineSpec spec;
  spec.input_chunk_bytes = k_sealed_chunk_bytes;
  spec.output_chunk_bytes = k_sealed_chunk_bytes;
  spec.on_input = options.on_ciphertext;
  spec.progress = options.progress;
  spec.stop = options.stop;
  return Pipeline(source, sink, spec, transforms).run();
}

} // namespace rb::age

#include "age/payload.hpp"

#include "age/chunk_cipher.hpp"
#include "age/opener.hpp"
#include "age/pipeline.hpp"
#include "age/sealer.hpp"

#include <sched.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace rb::age {

namespace {

constexpr unsigned k_default_threads = 2;

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

} // namespace rb::age

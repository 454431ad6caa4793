// A batch of chunks: what one thread takes at a time, and one slot of the pipeline's ring.
// Passes a stream through a transformation of its chunks: ordered reads, transformations in any
// order on any thread, ordered writes. Knows nothing of keys.
#pragma once

#include "age/io.hpp"
#include "age/primitives.hpp"
#include "base/port.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <thread>
#include <vector>

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

/// Turns the input of a batch into its output. One object a thread.
class BatchTransform : public Port {
public:
  /// Sets output_chunks, last_output_bytes and, on failure, error.
  virtual void apply(Batch& batch) = 0;
};

/// What a pass is made of. The callbacks are called in order and never at the same time as
/// themselves.
struct PipelineSpec {
  std::size_t input_chunk_bytes = 0;
  std::size_t output_chunk_bytes = 0; ///< Of a full chunk.
  std::function<void(ByteView)> on_input;
  std::function<void(ByteView)> on_output;
  std::function<void(std::uint64_t output_bytes)> progress;
  std::stop_token stop;
};

/// One pass. run() is called once, by the thread that made it.
class Pipeline {
public:
  /// One transformation a thread, at least one; threads beyond the first are started only when the
  /// input is longer than one batch. References outlive the pipeline.
  Pipeline(Source& source,
           Sink& sink,
           const PipelineSpec& spec,
           std::span<const std::unique_ptr<BatchTransform>> transforms);

  /// Until all is written: the bytes of output. Errors: of the source, the transformation or the
  /// sink, the one that is first in the order of the stream; cancelled.
  [[nodiscard]] Result<std::uint64_t> run();

private:
  enum class SlotState { free, filled, ready, transforming, done };
  struct Slot {
    SlotState state = SlotState::free;
    Batch batch;
  };
  enum class Job { none, read, transform, write };
  struct Task {
    Job job = Job::none;
    Slot* slot = nullptr;
  };

  void work(BatchTransform& transform);
  [[nodiscard]] Task next_task();
  void read(Slot& slot, std::unique_lock<std::mutex>& lock);
  void transform(Slot& slot, BatchTransform& transform, std::unique_lock<std::mutex>& lock);
  void write(Slot& slot, std::unique_lock<std::mutex>& lock);
  [[nodiscard]] Status write_output(Batch& batch);
  void settle_previous(bool at_end);
  void start_helpers();
  void fail(Error error);
  [[nodiscard]] Slot& slot_of(std::uint64_t batch) { return m_ring[batch % m_ring.size()]; }

  Source& m_source;
  Sink& m_sink;
  const PipelineSpec& m_spec;
  std::span<const std::unique_ptr<BatchTransform>> m_transforms;

  std::mutex m_mutex; // guards all below but the batches, which belong to whoever has the task
  std::condition_variable m_changed;
  std::vector<Slot> m_ring;
  std::uint64_t m_next_read = 0;
  std::uint64_t m_next_transform = 0;
  std::uint64_t m_next_write = 0;
  bool m_reading = false;
  bool m_writing = false;
  bool m_input_ended = false;
  bool m_finished = false;
  bool m_helpers_started = false;
  std::uint64_t m_written_bytes = 0;
  std::optional<Error> m_error;
  std::vector<std::jthread> m_helpers;
};

} // namespace rb::age

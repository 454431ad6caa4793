#include "age/pipeline.hpp"

#include <algorithm>
#include <system_error>

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

namespace {

/// Three a thread: one being read or written, one being transformed, one waiting.
constexpr std::size_t k_slots_a_thread = 3;

} // namespace

Pipeline::Pipeline(Source& source,
                   Sink& sink,
                   const PipelineSpec& spec,
                   std::span<const std::unique_ptr<BatchTransform>> transforms)
    : m_source(source), m_sink(sink), m_spec(spec), m_transforms(transforms),
      m_ring(transforms.size() * k_slots_a_thread) {}

Result<std::uint64_t> Pipeline::run() {
  work(*m_transforms.front());
  m_helpers.clear(); // joins
  if (m_error) {
    return std::move(*m_error);
  }
  return m_written_bytes;
}

void Pipeline::work(BatchTransform& transform) {
  std::unique_lock lock(m_mutex);
  while (!m_error && !m_finished) {
    if (m_spec.stop.stop_requested()) {
      fail({ErrorCode::cancelled, "cancelled", {}});
      return;
    }
    const Task task = next_task();
    switch (task.job) {
    case Job::none:
      m_changed.wait(lock);
      break;
    case Job::read:
      read(*task.slot, lock);
      break;
    case Job::transform:
      this->transform(*task.slot, transform, lock);
      break;
    case Job::write:
      write(*task.slot, lock);
      break;
    }
  }
}

/// The oldest batch first: what is done is written, what is ready is transformed, and only then is
/// more read.
Pipeline::Task Pipeline::next_task() {
  Slot& to_write = slot_of(m_next_write);
  if (!m_writing && to_write.state == SlotState::done) {
    return {Job::write, &to_write};
  }
  Slot& to_transform = slot_of(m_next_transform);
  if (to_transform.state == SlotState::ready) {
    return {Job::transform, &to_transform};
  }
  Slot& to_read = slot_of(m_next_read);
  if (!m_reading && !m_input_ended && to_read.state == SlotState::free) {
    return {Job::read, &to_read};
  }
  return {};
}

void Pipeline::read(Slot& slot, std::unique_lock<std::mutex>& lock) {
  m_reading = true;
  lock.unlock();
  Batch& batch = slot.batch;
  const bool more = fill(batch, m_source, m_spec.input_chunk_bytes);
  batch.first_chunk = m_next_read * k_batch_chunks;
  if (m_spec.on_input) {
    std::size_t left = batch.input_bytes;
    for (std::size_t i = 0; left > 0; ++i) {
      const std::size_t size = std::min(left, m_spec.input_chunk_bytes);
      m_spec.on_input(batch.chunk(i, size));
      left -= size;
    }
  }
  lock.lock();
  m_reading = false;
  m_input_ended = !more;
  const bool nothing = batch.input_bytes == 0 && !batch.error;
  if (nothing && m_next_read > 0) {
    settle_previous(true);
  } else {
    if (m_next_read > 0) {
      settle_previous(false);
      start_helpers();
    }
    batch.at_end = !more && !batch.error;
    slot.state = more ? SlotState::filled : SlotState::ready;
    ++m_next_read;
  }
  m_changed.notify_all();
}

/// Whether a full batch is the last one is known only after the next read.
void Pipeline::settle_previous(bool at_end) {
  Slot& previous = slot_of(m_next_read - 1);
  previous.batch.at_end = at_end;
  previous.state = SlotState::ready;
}

void Pipeline::transform(Slot& slot,
                         BatchTransform& transform,
                         std::unique_lock<std::mutex>& lock) {
  slot.state = SlotState::transforming;
  ++m_next_transform;
  lock.unlock();
  if (!slot.batch.error) {
    transform.apply(slot.batch);
  }
  lock.lock();
  slot.state = SlotState::done;
  m_changed.notify_all();
}

void Pipeline::write(Slot& slot, std::unique_lock<std::mutex>& lock) {
  m_writing = true;
  lock.unlock();
  Status written = write_output(slot.batch);
  lock.lock();
  m_writing = false;
  if (!written) {
    fail(std::move(written).error());
    return;
  }
  if (slot.batch.error) {
    fail(std::move(*slot.batch.error));
    return;
  }
  slot.state = SlotState::free;
  ++m_next_write;
  m_finished = slot.batch.at_end;
  m_changed.notify_all();
}

Status Pipeline::write_output(Batch& batch) {
  if (batch.output_chunks == 0) {
    return {};
  }
  const auto put = [&](ByteView bytes) -> Status {
    if (m_spec.on_output) {
      m_spec.on_output(bytes);
    }
    RB_TRY(m_sink.write(bytes));
    m_written_bytes += bytes.size();
    return {};
  };
  const std::size_t full_chunks = batch.output_chunks - 1;
  if (m_spec.output_chunk_bytes == k_sealed_chunk_bytes) { // no gaps: one piece
    RB_TRY(put(batch.chunk(0, full_chunks * k_sealed_chunk_bytes + batch.last_output_bytes)));
  } else {
    for (std::size_t i = 0; i < full_chunks; ++i) {
      RB_TRY(put(batch.chunk(i, m_spec.output_chunk_bytes)));
    }
    RB_TRY(put(batch.chunk(full_chunks, batch.last_output_bytes)));
  }
  if (m_spec.progress) {
    m_spec.progress(m_written_bytes);
  }
  return {};
}

void Pipeline::start_helpers() {
  if (m_helpers_started) {
    return;
  }
  m_helpers_started = true;
  m_helpers.reserve(m_transforms.size() - 1);
  try {
    for (const auto& transform : m_transforms.subspan(1)) {
      m_helpers.emplace_back([this, &transform] { work(*transform); });
    }
  } catch (const std::system_error&) {
    // No more threads to be had: those that run do all the work.
  }
}

void Pipeline::fail(Error error) {
  if (!m_error) {
    m_error = std::move(error);
  }
  m_changed.notify_all();
}

} // namespace rb::age

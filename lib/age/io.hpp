// Where bytes come from and go to: the two ports of the room, and their in-memory forms.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <cstddef>

namespace rb::age {

/// Bytes in order. Used by one thread at a time; the thread may change between calls.
class Source {
public:
  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  Source(Source&&) = delete;
  Source& operator=(Source&&) = delete;

  /// Reads until `buffer` is full or the input ends, and returns how many bytes were read: fewer
  /// than asked for means the end, and every later call returns 0.
  [[nodiscard]] virtual Result<std::size_t> read(MutableByteView buffer) = 0;
};

/// Bytes in order. Used by one thread at a time; the thread may change between calls.
class Sink {
public:
  Sink() = default;
  virtual ~Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  Sink(Sink&&) = delete;
  Sink& operator=(Sink&&) = delete;

  /// Takes all of `bytes` or fails. They are the caller's again when it returns.
  [[nodiscard]] virtual Status write(ByteView bytes) = 0;
};

/// Reads from memory that outlives it.
class MemorySource final : public Source {
public:
  explicit MemorySource(ByteView bytes) : m_left(bytes) {}
  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override;

private:
  ByteView m_left;
};

/// Appends to a vector that outlives it. Not for secrets: a growing vector leaves copies behind.
class BytesSink final : public Sink {
public:
  explicit BytesSink(Bytes& bytes) : m_bytes(bytes) {}
  [[nodiscard]] Status write(ByteView bytes) override;

private:
  Bytes& m_bytes;
};

} // namespace rb::age

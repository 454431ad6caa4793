// Where bytes come from and go to: the two ports of the room, their forms in memory and on files,
// a look ahead, and what a caller may set for a pass over a stream.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/port.hpp"
#include "base/result.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

namespace rb::age {

/// Bytes in order. Used by one thread at a time; the thread may change between calls.
class Source : public Port {
public:
  /// Reads until `buffer` is full or the input ends, and returns how many bytes were read: fewer
  /// than asked for means the end, and every later call returns 0.
  [[nodiscard]] virtual Result<std::size_t> read(MutableByteView buffer) = 0;
};

/// Bytes in order. Used by one thread at a time; the thread may change between calls.
class Sink : public Port {
public:
  /// Takes all of `bytes` or fails. They are the caller's again when it returns.
  [[nodiscard]] virtual Status write(ByteView bytes) = 0;
};

/// What is written goes to the `write(ByteView)` of a file in the making, which outlives it.
template <typename File> class WriterSink final : public Sink {
public:
  explicit WriterSink(File& file) : m_file(file) {}

  [[nodiscard]] Status write(ByteView bytes) override {
    Status written = m_file.write(bytes);
    m_failed = m_failed || !written;
    return written;
  }

  /// A write failed: the file's disk is to blame, and not what was read.
  [[nodiscard]] bool failed() const { return m_failed; }

private:
  File& m_file;
  bool m_failed = false;
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

/// What a caller may set for a pass over a payload. The callbacks are never called at the same time
/// as themselves, and in the order of the bytes; they may be called from any of the threads of the
/// pass, and two different ones at the same time. They must not throw. An empty function is not
/// called.
struct StreamOptions {
  /// Threads of the pass, the caller's included; 0 means 2. Never more are used than this process
  /// has processors, and one only for inputs up to 256 KiB.
  unsigned threads = 0;

  /// Encryption: every byte as it is read. Decryption: every byte just before it is written, that
  /// is after its chunk was authenticated.
  std::function<void(ByteView)> on_plaintext;

  /// The age file, header included. Encryption: every byte just before it is written. Decryption:
  /// every byte as it is read (armor and all); on success that is the whole file.
  std::function<void(ByteView)> on_ciphertext;

  /// Rewrap: the header that was read and the one that takes its place, before it is written.
  std::function<void(const std::string& before, const std::string& after)> on_header;

  /// Bytes of plaintext done so far (written, or for encryption written as ciphertext).
  std::function<void(std::uint64_t plaintext_bytes)> progress;

  /// Ends the pass with ErrorCode::cancelled between two batches of 256 KiB.
  std::stop_token stop;
};

/// Reads from a Source that outlives it. Large reads bypass the buffer once it is empty.
class BufferedSource final : public Source {
public:
  explicit BufferedSource(Source& source) : m_source(source), m_buffer(k_buffer_bytes) {}

  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override;

  /// The bytes that come next, without taking them: up to `count` (at most 4,096), fewer only at
  /// the end.
  [[nodiscard]] Result<ByteView> peek(std::size_t count);

  /// One line with its newline; without one at the end of the input, empty after it. When a line
  /// is longer than `limit_bytes`, its first `limit_bytes` + 1 bytes are returned.
  [[nodiscard]] Result<std::string> read_line(std::size_t limit_bytes);

private:
  static constexpr std::size_t k_buffer_bytes = 4096;

  [[nodiscard]] ByteView buffered() const;
  [[nodiscard]] Status fill();
  void take(std::size_t count);

  Source& m_source;
  SecretBytes m_buffer;
  std::size_t m_begin = 0;
  std::size_t m_end = 0;
};

/// Reads an open file from its current position. The descriptor outlives it and is not closed.
class FdSource final : public Source {
public:
  /// `path` is for error messages.
  FdSource(const Fd& fd, std::string path) : m_fd(fd), m_path(std::move(path)) {}
  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override;

private:
  const Fd& m_fd;
  std::string m_path;
};

/// Writes to an open file at its current position. The descriptor outlives it and is neither
/// synced nor closed: durability is the business of DurableFile.
class FdSink final : public Sink {
public:
  /// `path` is for error messages.
  FdSink(const Fd& fd, std::string path) : m_fd(fd), m_path(std::move(path)) {}
  [[nodiscard]] Status write(ByteView bytes) override;

private:
  const Fd& m_fd;
  std::string m_path;
};

} // namespace rb::age

// Reading at any offset of something that may be larger than memory.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/port.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace rb {

/// Reads at an offset from something that may be larger than memory: a snapshot file, a buffer, or
/// an encrypted file that is decrypted in pieces. Never mmap: a file that shrinks under a mapping
/// ends the process with SIGBUS. Used by one thread at a time.
class RandomReader : public Port {
public:
  /// Size in bytes, as it was when the reader was made.
  [[nodiscard]] virtual std::uint64_t size() const = 0;

  /// Fills all of `buffer` from `offset`. Errors: corrupt (it would read past the end, or the
  /// file has shrunk), io.
  [[nodiscard]] virtual Status read(std::uint64_t offset, MutableByteView buffer) = 0;
};

/// A file, by pread(2). Holds the descriptor, so a file that is unlinked meanwhile stays readable.
class FileReader final : public RandomReader {
public:
  /// `path` is for messages only. Errors: io (fstat), unsupported (not a regular file).
  [[nodiscard]] static Result<std::unique_ptr<FileReader>> open(Fd fd, std::string path);

  [[nodiscard]] std::uint64_t size() const override { return m_size_bytes; }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override;

private:
  FileReader(Fd fd, std::string path, std::uint64_t size_bytes);

  Fd m_fd;
  std::string m_path;
  std::uint64_t m_size_bytes;
};

/// Bytes in memory, which must outlive the reader.
class MemoryReader final : public RandomReader {
public:
  explicit MemoryReader(ByteView bytes) : m_bytes(bytes) {}

  [[nodiscard]] std::uint64_t size() const override { return m_bytes.size(); }
  [[nodiscard]] Status read(std::uint64_t offset, MutableByteView buffer) override;

private:
  ByteView m_bytes;
};

} // namespace rb

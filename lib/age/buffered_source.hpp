// A Source with a look ahead: lines and single bytes without a call each.
#pragma once

#include "age/io.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <string>

namespace rb::age {

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

} // namespace rb::age

// A byte buffer that grows and leaves no copy behind: for building secret texts of unknown size.
#pragma once

#include "base/bytes.hpp"
#include "base/secret_bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace rb {

/// Not thread-safe. What it outgrows is wiped, as is what it holds when it goes.
class SecretBuffer {
public:
  explicit SecretBuffer(std::size_t capacity_bytes = 0) : m_bytes(capacity_bytes) {}

  [[nodiscard]] std::size_t size() const { return m_size; }
  [[nodiscard]] ByteView view() const { return m_bytes.view().first(m_size); }
  [[nodiscard]] std::string_view text() const { return as_text(view()); }

  /// Room for at least `count` more bytes, to be written from the front and then taken into the
  /// buffer by commit(). Valid until the next call.
  [[nodiscard]] MutableByteView prepare(std::size_t count) {
    if (m_bytes.size() - m_size < count) {
      SecretBytes larger(std::max({m_bytes.size() * 2, m_size + count, std::size_t{256}}));
      std::copy_n(m_bytes.data(), m_size, larger.data());
      m_bytes = std::move(larger);
    }
    return m_bytes.span().subspan(m_size);
  }

  /// Precondition: `count` is at most what prepare() gave.
  void commit(std::size_t count) { m_size += count; }

  void append(ByteView bytes) {
    std::copy(bytes.begin(), bytes.end(), prepare(bytes.size()).begin());
    commit(bytes.size());
  }
  void append(std::string_view text) { append(as_bytes(text)); }
  void append(char byte) { append(std::string_view(&byte, 1)); }
  void append(std::size_t count, char byte) {
    std::fill_n(prepare(count).begin(), count, static_cast<std::uint8_t>(byte));
    commit(count);
  }

  /// The bytes in a buffer of exactly their size.
  [[nodiscard]] SecretBytes take() && {
    if (m_size == m_bytes.size()) {
      m_size = 0;
      return std::move(m_bytes);
    }
    return SecretBytes(view());
  }

private:
  SecretBytes m_bytes;
  std::size_t m_size = 0;
};

} // namespace rb

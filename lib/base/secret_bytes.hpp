// Buffers for keys, tokens and decrypted secrets, wiped when they go: one of a fixed size, and one
// that grows and leaves no copy behind.
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace rb {

/// Move-only. Not thread-safe. The size is fixed when it is made, so that no copy is left by a
/// reallocation.
class SecretBytes {
public:
  SecretBytes() = default;
  explicit SecretBytes(std::size_t size) : m_bytes(size) {}
  explicit SecretBytes(ByteView bytes) : m_bytes(bytes.begin(), bytes.end()) {}
  ~SecretBytes() { wipe(m_bytes); }

  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : m_bytes(std::move(other.m_bytes)) {
    other.m_bytes.clear();
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe(m_bytes);
      m_bytes = std::move(other.m_bytes);
      other.m_bytes.clear();
    }
    return *this;
  }

  [[nodiscard]] ByteView view() const { return m_bytes; }
  [[nodiscard]] MutableByteView span() { return m_bytes; }
  [[nodiscard]] std::string_view text() const { return as_text(m_bytes); }
  [[nodiscard]] std::size_t size() const { return m_bytes.size(); }
  [[nodiscard]] bool empty() const { return m_bytes.empty(); }
  [[nodiscard]] std::uint8_t* data() { return m_bytes.data(); }
  [[nodiscard]] const std::uint8_t* data() const { return m_bytes.data(); }

private:
  Bytes m_bytes;
};

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

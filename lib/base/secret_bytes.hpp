// A buffer for keys, tokens and decrypted secrets: move-only, wiped when it goes.
#pragma once

#include "base/bytes.hpp"

#include <cstddef>
#include <string_view>

namespace rb {

/// Overwrites `bytes` in a way that the compiler does not remove (OPENSSL_cleanse).
void wipe(MutableByteView bytes);

/// Not thread-safe. The size is fixed when it is made, so that no copy is left by a reallocation.
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

} // namespace rb

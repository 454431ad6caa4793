// A secret text that stops growing at a limit: a release of a few kilobytes can hold values that
// take a gigabyte when they are indented. Private to this room.
#pragma once

#include "base/secret_buffer.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

namespace rb::helm {

/// What would pass the limit is dropped, and with it all that follows.
class BoundedText {
public:
  BoundedText(std::size_t capacity_bytes, std::size_t limit_bytes)
      : m_buffer(std::min(capacity_bytes, limit_bytes)), m_limit(limit_bytes) {}

  void append(std::string_view text) {
    if (admits(text.size())) {
      m_buffer.append(text);
    }
  }
  void append(char byte) { append(std::string_view(&byte, 1)); }
  void append(std::size_t count, char byte) {
    if (admits(count)) {
      m_buffer.append(count, byte);
    }
  }

  /// Something was dropped.
  [[nodiscard]] bool overflowed() const { return m_overflowed; }
  [[nodiscard]] std::string_view text() const { return m_buffer.text(); }
  [[nodiscard]] SecretBytes take() && { return std::move(m_buffer).take(); }

private:
  bool admits(std::size_t bytes) {
    m_overflowed = m_overflowed || bytes > m_limit - m_buffer.size();
    return !m_overflowed;
  }

  SecretBuffer m_buffer;
  std::size_t m_limit;
  bool m_overflowed = false;
};

} // namespace rb::helm

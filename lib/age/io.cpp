#include "age/io.hpp"

#include <algorithm>

namespace rb::age {

Result<std::size_t> MemorySource::read(MutableByteView buffer) {
  const std::size_t count = std::min(buffer.size(), m_left.size());
  std::copy_n(m_left.begin(), count, buffer.begin());
  m_left = m_left.subspan(count);
  return count;
}

Status BytesSink::write(ByteView bytes) {
  m_bytes.insert(m_bytes.end(), bytes.begin(), bytes.end());
  return {};
}

ByteView BufferedSource::buffered() const {
  return m_buffer.view().subspan(m_begin, m_end - m_begin);
}

void BufferedSource::take(std::size_t count) {
  m_begin += count;
}

Status BufferedSource::fill() {
  const ByteView left = buffered();
  std::copy(left.begin(), left.end(), m_buffer.span().begin());
  m_end = left.size();
  m_begin = 0;
  RB_TRY_ASSIGN(const std::size_t got, m_source.read(m_buffer.span().subspan(m_end)));
  m_end += got;
  return {};
}

Result<std::size_t> BufferedSource::read(MutableByteView buffer) {
  const std::size_t from_buffer = std::min(buffer.size(), m_end - m_begin);
  std::copy_n(buffered().begin(), from_buffer, buffer.begin());
  take(from_buffer);
  if (from_buffer == buffer.size()) {
    return from_buffer;
  }
  RB_TRY_ASSIGN(const std::size_t got, m_source.read(buffer.subspan(from_buffer)));
  return from_buffer + got;
}

Result<ByteView> BufferedSource::peek(std::size_t count) {
  count = std::min(count, k_buffer_bytes);
  if (buffered().size() < count) {
    RB_TRY(fill());
  }
  return buffered().first(std::min(count, buffered().size()));
}

Result<std::string> BufferedSource::read_line(std::size_t limit_bytes) {
  std::string line;
  for (;;) {
    RB_TRY_ASSIGN(const ByteView next, peek(1));
    if (next.empty()) {
      return line;
    }
    const std::string_view text = as_text(buffered());
    const std::size_t newline = text.find('\n');
    const std::size_t whole = newline == std::string_view::npos ? text.size() : newline + 1;
    const std::size_t count = std::min(whole, limit_bytes + 1 - line.size());
    line.append(text.substr(0, count));
    take(count);
    if (line.ends_with('\n') || line.size() > limit_bytes) {
      return line;
    }
  }
}

Result<std::size_t> FdSource::read(MutableByteView buffer) {
  return read_up_to(m_fd, buffer, m_path);
}

Status FdSink::write(ByteView bytes) {
  return write_all(m_fd, bytes, m_path);
}

} // namespace rb::age

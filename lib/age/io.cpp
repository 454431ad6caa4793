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

} // namespace rb::age

#include "age/fd_io.hpp"

namespace rb::age {

Result<std::size_t> FdSource::read(MutableByteView buffer) {
  return read_up_to(m_fd, buffer, m_path);
}

Status FdSink::write(ByteView bytes) {
  return write_all(m_fd, bytes, m_path);
}

} // namespace rb::age

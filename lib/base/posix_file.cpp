#include "base/posix_file.hpp"

#include "base/modes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rb {

namespace {

// 64 MiB: large enough for full throughput, small enough to bound the dirty pages.
constexpr std::uint64_t k_window_bytes = 64U << 20U;

off_t offset_of(std::uint64_t bytes) {
  return static_cast<off_t>(bytes);
}

} // namespace

Status PosixFile::write(ByteView bytes) {
  RB_TRY(write_all(m_fd, bytes, m_path));
  m_written_bytes += bytes.size();
  if (m_written_bytes - m_window_start >= k_window_bytes) {
    return flush_window();
  }
  return {};
}

Status PosixFile::flush_window() {
  const std::uint64_t length = m_written_bytes - m_window_start;
  if (::sync_file_range(
          m_fd.get(), offset_of(m_window_start), offset_of(length), SYNC_FILE_RANGE_WRITE) != 0) {
    return system_error(errno, m_path + ": sync_file_range");
  }
  if (m_window_start != 0) {
    // All that came before this window: wait for it, then let go of its pages.
    constexpr unsigned wait =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (::sync_file_range(m_fd.get(),
                          offset_of(m_dropped_bytes),
                          offset_of(m_window_start - m_dropped_bytes),
                          wait) != 0) {
      return system_error(errno, m_path + ": sync_file_range");
    }
    ::posix_fadvise(m_fd.get(),
                    offset_of(m_dropped_bytes),
                    offset_of(m_window_start - m_dropped_bytes),
                    POSIX_FADV_DONTNEED);
    m_dropped_bytes = m_window_start;
  }
  m_window_start = m_written_bytes;
  return {};
}

Result<std::size_t> PosixFile::read(MutableByteView buffer) {
  RB_TRY_ASSIGN(const std::size_t got, read_up_to(m_fd, buffer, m_path));
  m_read_bytes += got;
  if (m_read_bytes - m_dropped_bytes >= k_window_bytes) {
    ::posix_fadvise(m_fd.get(),
                    offset_of(m_dropped_bytes),
                    offset_of(m_read_bytes - m_dropped_bytes),
                    POSIX_FADV_DONTNEED);
    m_dropped_bytes = m_read_bytes;
  }
  return got;
}

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, MutableByteView buffer) {
  return rb::read_at(m_fd, buffer, offset, m_path);
}

Status PosixFile::sync() {
  return sync_file(m_fd, m_path);
}

Status PosixFile::close() {
  return m_fd.close(m_path);
}

Status PosixFile::set_mode(unsigned mode) {
  return give_mode(m_fd, mode, m_path);
}

Status PosixFile::give_name(const std::string& name) {
  if (!m_directory.valid()) {
    return File::give_name(name);
  }
  const std::string self = "/proc/self/fd/" + std::to_string(m_fd.get());
  if (::linkat(AT_FDCWD, self.c_str(), m_directory.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return system_error(errno, m_path + ": link");
  }
  m_directory = Fd();
  return {};
}

Result<std::uint64_t> PosixFile::size() {
  return file_size(m_fd, m_path);
}

void PosixFile::drop_cache() {
  ::posix_fadvise(m_fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  ::posix_fadvise(m_fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

} // namespace rb

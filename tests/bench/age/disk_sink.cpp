#include "disk_sink.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

namespace rb::bench {

namespace {

constexpr std::uint64_t k_window_bytes = std::uint64_t{64} << 20U;

} // namespace

Result<DiskSink> DiskSink::create(const std::string& path) {
  RB_TRY_ASSIGN(Fd fd, open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  return DiskSink(std::move(fd), path, S_ISREG(status.st_mode));
}

Status DiskSink::write(ByteView bytes) {
  RB_TRY(write_all(m_fd, bytes, m_path));
  m_written += bytes.size();
  if (!m_regular || m_written - m_started < k_window_bytes) {
    return {};
  }
  const auto started = static_cast<off_t>(m_started);
  ::sync_file_range(
      m_fd.get(), started, static_cast<off_t>(m_written - m_started), SYNC_FILE_RANGE_WRITE);
  if (m_started >= k_window_bytes) {
    const auto window = static_cast<off_t>(k_window_bytes);
    ::sync_file_range(m_fd.get(),
                      started - window,
                      window,
                      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                          SYNC_FILE_RANGE_WAIT_AFTER);
    ::posix_fadvise(m_fd.get(), started - window, window, POSIX_FADV_DONTNEED);
  }
  m_started = m_written;
  return {};
}

Status DiskSink::finish() {
  if (m_regular) {
    RB_TRY(sync_file(m_fd, m_path));
  }
  return m_fd.close(m_path);
}

} // namespace rb::bench

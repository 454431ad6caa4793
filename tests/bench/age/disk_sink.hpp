// Writes a file with few dirty pages: as lib/base/durable_file does, without its naming and
// locking.
#pragma once

#include "age/io.hpp"
#include "base/fd.hpp"

#include <cstdint>
#include <string>

namespace rb::bench {

/// Starts write-back of each 64 MiB when they are written, waits for the 64 MiB before and drops
/// them from the page cache. Devices (/dev/null) are just written to.
class DiskSink final : public age::Sink {
public:
  [[nodiscard]] static Result<DiskSink> create(const std::string& path);

  DiskSink(DiskSink&& other) noexcept
      : m_fd(std::move(other.m_fd)), m_path(std::move(other.m_path)), m_regular(other.m_regular),
        m_written(other.m_written), m_started(other.m_started) {}

  [[nodiscard]] Status write(ByteView bytes) override;

  /// fsync(2) and close(2), for a file.
  [[nodiscard]] Status finish();

private:
  DiskSink(Fd fd, std::string path, bool regular)
      : m_fd(std::move(fd)), m_path(std::move(path)), m_regular(regular) {}

  Fd m_fd;
  std::string m_path;
  bool m_regular;
  std::uint64_t m_written = 0;
  std::uint64_t m_started = 0; ///< Write-back was started up to here.
};

} // namespace rb::bench

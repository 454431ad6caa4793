#include "base/fd.hpp"

#include "base/open_beneath.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rb {

Fd::~Fd() {
  if (m_fd >= 0) {
    ::close(m_fd);
  }
}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    if (m_fd >= 0) {
      ::close(m_fd);
    }
    m_fd = std::exchange(other.m_fd, -1);
  }
  return *this;
}

Status Fd::close(const std::string& path) {
  const int fd = std::exchange(m_fd, -1);
  // The descriptor is gone whatever close(2) answers on Linux, EINTR included.
  if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) {
    return system_error(errno, path + ": close");
  }
  return {};
}

Result<Fd> open_file(const std::string& path, int flags, unsigned mode) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) {
    return system_error(errno, path + ": open");
  }
  return Fd(fd);
}

Status write_all(const Fd& fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) {
        continue;
      }
      return system_error(errno, path + ": write");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::size_t> read_up_to(const Fd& fd, MutableByteView buffer, const std::string& path) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::read(fd.get(), buffer.data() + filled, buffer.size() - filled);
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return system_error(errno, path + ": read");
    }
    if (got == 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<std::size_t>
read_at(const Fd& fd, MutableByteView buffer, std::uint64_t offset, const std::string& path) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::pread(fd.get(),
                                buffer.data() + filled,
                                buffer.size() - filled,
                                static_cast<off_t>(offset + filled));
    if (got < 0) {
      if (errno == EINTR) {
        continue;
      }
      return system_error(errno, path + ": read");
    }
    if (got == 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Status sync_file(const Fd& fd, const std::string& path) {
  if (::fsync(fd.get()) != 0) {
    return system_error(errno, path + ": fsync");
  }
  return {};
}

Result<std::uint64_t> file_size(const Fd& fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<SecretBytes> read_secret_file(const std::string& path, std::size_t limit_bytes) {
  RB_TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY));
  return read_secret_file(fd, path, limit_bytes);
}

Result<std::string> read_text_file(const std::string& path, std::size_t limit_bytes) {
  RB_TRY_ASSIGN(const SecretBytes bytes, read_secret_file(path, limit_bytes));
  return std::string(bytes.text());
}

} // namespace rb

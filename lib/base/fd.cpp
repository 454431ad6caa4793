#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace rb {

namespace {

Error too_large(const std::string& path, std::size_t limit_bytes) {
  return {
      ErrorCode::unsupported, path + ": larger than " + std::to_string(limit_bytes) + " bytes", {}};
}

constexpr std::size_t k_first_bytes = std::size_t{16} << 10U;

/// Calls `read` until `buffer` is full or the file ends.
template <typename Read>
Result<std::size_t> fill(MutableByteView buffer, const std::string& path, Read read) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = read(buffer.subspan(filled), filled);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return system_error(errno, path + ": read");
    }
    if (got == 0) {
      break;
    }
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

/// A file in /proc, or a pipe: its size says nothing, and most are far smaller than the limit.
Result<SecretBytes> read_unsized(const Fd& fd, const std::string& path, std::size_t limit_bytes) {
  SecretBuffer buffer;
  while (buffer.size() <= limit_bytes) {
    const MutableByteView room =
        buffer.prepare(std::min(k_first_bytes, limit_bytes + 1 - buffer.size()));
    const MutableByteView wanted =
        room.first(std::min(room.size(), limit_bytes + 1 - buffer.size()));
    RB_TRY_ASSIGN(const std::size_t got, read_up_to(fd, wanted, path));
    buffer.commit(got);
    if (got < wanted.size()) {
      return std::move(buffer).take();
    }
  }
  return too_large(path, limit_bytes);
}

} // namespace

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
  return fill(buffer, path, [&](MutableByteView rest, std::size_t /*filled*/) {
    return ::read(fd.get(), rest.data(), rest.size());
  });
}

Result<std::size_t>
read_at(const Fd& fd, MutableByteView buffer, std::uint64_t offset, const std::string& path) {
  return fill(buffer, path, [&](MutableByteView rest, std::size_t filled) {
    return ::pread(fd.get(), rest.data(), rest.size(), static_cast<off_t>(offset + filled));
  });
}

Status sync_file(const Fd& fd, const std::string& path) {
  if (::fsync(fd.get()) != 0) {
    return system_error(errno, path + ": fsync");
  }
  return {};
}

Status sync_directory(const Fd& fd, const std::string& path) {
  return ::fsync(fd.get()) == 0 || errno == EINVAL ? Status()
                                                   : Status(system_error(errno, path + ": fsync"));
}

Result<std::uint64_t> file_size(const Fd& fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  return static_cast<std::uint64_t>(status.st_size);
}

Result<SecretBytes>
read_secret_file(const Fd& fd, const std::string& path, std::size_t limit_bytes) {
  // Read in one buffer of one size, so that no copy of a secret stays behind in freed memory.
  RB_TRY_ASSIGN(const std::uint64_t size, file_size(fd, path));
  if (size > limit_bytes) {
    return too_large(path, limit_bytes);
  }
  if (size == 0) {
    return read_unsized(fd, path, limit_bytes);
  }
  SecretBytes buffer(static_cast<std::size_t>(size) + 1);
  RB_TRY_ASSIGN(const std::size_t got, read_up_to(fd, buffer.span(), path));
  if (got > limit_bytes) {
    return too_large(path, limit_bytes);
  }
  return SecretBytes(buffer.view().first(got));
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

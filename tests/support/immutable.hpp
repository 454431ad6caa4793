// A file that nobody can remove (chattr +i) while this lives; where the file system has that.
#pragma once

#include "base/fd.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>

#include <string>

namespace rb::test {

class Immutable {
public:
  explicit Immutable(const std::string& path) : m_fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    m_holds = set(true);
  }
  ~Immutable() { set(false); }
  Immutable(const Immutable&) = delete;
  Immutable& operator=(const Immutable&) = delete;
  Immutable(Immutable&&) = delete;
  Immutable& operator=(Immutable&&) = delete;

  /// False: the file system has no such attribute, or we may not set it.
  [[nodiscard]] bool holds() const { return m_holds; }

private:
  bool set(bool immutable) {
    int flags = 0;
    if (::ioctl(m_fd.get(), FS_IOC_GETFLAGS, &flags) != 0) {
      return false;
    }
    flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return ::ioctl(m_fd.get(), FS_IOC_SETFLAGS, &flags) == 0;
  }

  Fd m_fd;
  bool m_holds = false;
};

} // namespace rb::test

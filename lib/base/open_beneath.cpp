#include "base/open_beneath.hpp"

#include <climits>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>

namespace rb {

namespace {

/// What a walk came to.
struct WalkEnd {
  Fd parent;        ///< The directory of the last component, O_PATH.
  std::string name; ///< The last component: no link; it need not be there any more.
  struct stat status {};
  std::string weak;       ///< The first component that others can change; empty: none.
  bool weak_link = false; ///< A link was followed that others can change.
};

constexpr int k_most_links = 40; // as the kernel

bool is_ours(const struct stat& status) {
  return status.st_uid == 0 || status.st_uid == ::geteuid();
}

/// Others cannot put another thing in the place of `entry` in `directory`.
bool holds(const struct stat& directory, const struct stat& entry) {
  const bool open = (directory.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = (directory.st_mode & S_ISVTX) != 0;
  return is_ours(directory) && (!open || (sticky && is_ours(entry)));
}

class Walk {
public:
  explicit Walk(std::string path) : m_path(std::move(path)) {}

  Result<WalkEnd> run() {
    push(m_path);
    RB_TRY(enter_root());
    while (!m_left.empty()) {
      const std::string name = std::move(m_left.front());
      m_left.pop_front();
      if (name == "..") { // of the real directory: no link is left between
        RB_TRY(enter(name));
        continue;
      }
      RB_TRY_ASSIGN(const Fd entry, look(name));
      struct stat status {};
      if (::fstat(entry.get(), &status) != 0) {
        return system_error(errno, m_path + ": stat");
      }
      note(name, status);
      if (S_ISLNK(status.st_mode)) {
        m_end.weak_link = m_end.weak_link || !m_end.weak.empty();
        RB_TRY(follow(entry));
      } else if (m_left.empty()) {
        m_end.parent = std::move(m_directory);
        m_end.name = name;
        m_end.status = status;
        return std::move(m_end);
      } else {
        RB_TRY(enter(name));
      }
    }
    return Error{ErrorCode::unsupported, m_path + ": not a regular file", {}};
  }

private:
  void push(const std::string& path) {
    std::deque<std::string> parts;
    for (std::size_t begin = 0; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string part = path.substr(begin, end - begin);
      if (!part.empty() && part != ".") {
        parts.push_back(part);
      }
      begin = end + 1;
    }
    m_left.insert(m_left.begin(), parts.begin(), parts.end());
  }

  Status enter_root() {
    RB_TRY_ASSIGN(m_directory, open_file("/", O_PATH | O_DIRECTORY));
    m_shown.clear();
    return ::fstat(m_directory.get(), &m_status) == 0 ? Status() : system_error(errno, "/: stat");
  }

  Result<Fd> look(const std::string& name) {
    const int fd = ::openat(m_directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? Result<Fd>(system_error(errno, m_path + ": open")) : Result<Fd>(Fd(fd));
  }

  Status enter(const std::string& name) {
    const int fd =
        ::openat(m_directory.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
      return system_error(errno, m_path + ": open");
    }
    m_directory = Fd(fd);
    m_shown += "/" + name;
    return ::fstat(fd, &m_status) == 0 ? Status() : system_error(errno, m_path + ": stat");
  }

  void note(const std::string& name, const struct stat& entry) {
    if (!m_end.weak.empty()) {
      return;
    }
    if (!holds(m_status, entry)) {
      m_end.weak = m_shown.empty() ? "/" : m_shown;
    } else if (!is_ours(entry)) {
      m_end.weak = m_shown + "/" + name;
    }
  }

  Status follow(const Fd& link) {
    if (++m_links > k_most_links) {
      return system_error(ELOOP, m_path + ": open");
    }
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(link.get(), "", target.data(), target.size());
    if (size <= 0 || static_cast<std::size_t>(size) == target.size()) {
      return system_error(size < 0 ? errno : ENAMETOOLONG, m_path + ": readlink");
    }
    const std::string text(target.data(), static_cast<std::size_t>(size));
    push(text);
    return text.starts_with('/') ? enter_root() : Status();
  }

  const std::string m_path;
  std::deque<std::string> m_left;
  Fd m_directory;
  struct stat m_status {}; ///< Of the directory.
  std::string m_shown;     ///< Its path, for messages; empty: the root.
  int m_links = 0;
  WalkEnd m_end;
};

/// Walks an absolute path component by component, by descriptors, and knows at each step who could
/// change it. Follows links, 40 at most. Errors: not_found, io (ELOOP) and others of openat(2).
Result<WalkEnd> walk_path(const std::string& path) {
  if (!path.starts_with('/')) {
    return Error{ErrorCode::invalid_argument, path + ": not an absolute path", {}};
  }
  return Walk(path).run();
}

constexpr int k_careful = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

Error not_regular(const std::string& shown) {
  return {ErrorCode::unsupported, shown + ": not a regular file", {}};
}

Result<Fd> opened(int fd, const std::string& shown) {
  if (fd < 0 && (errno == ELOOP || errno == EXDEV)) {
    return Error{ErrorCode::unsupported, shown + ": is a symbolic link, or leads through one", {}};
  }
  if (fd < 0 && (errno == ENXIO || errno == EISDIR)) { // a FIFO or socket, a directory
    return not_regular(shown);
  }
  if (fd < 0) {
    return system_error(errno, shown + ": open");
  }
  return Fd(fd);
}

Result<Fd> regular_only(Fd fd, const std::string& shown) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, shown + ": stat");
  }
  return S_ISREG(status.st_mode) ? Result<Fd>(std::move(fd)) : Result<Fd>(not_regular(shown));
}

int retried_openat(int directory, const char* name, int flags, unsigned mode) {
  int fd = -1;
  do {
    fd = ::openat(directory, name, flags, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

int by_openat2(int directory, const std::string& path, int flags, unsigned mode) {
  open_how how{};
  how.flags = static_cast<__u64>(flags);
  how.mode = (flags & O_CREAT) != 0 ? __u64{mode} : __u64{0};
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do {
    fd = ::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how);
  } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  return static_cast<int>(fd);
}

/// For kernels and filters without openat2.
int by_components(int directory, const std::string& path, int flags, unsigned mode) {
  Fd inside;
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', begin)) {
    const int fd = retried_openat(inside.valid() ? inside.get() : directory,
                                  path.substr(begin, slash - begin).c_str(),
                                  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                                  0);
    if (fd < 0) {
      errno = errno == ENOTDIR ? ELOOP : errno; // O_PATH | O_DIRECTORY says so of a link
      return -1;
    }
    inside = Fd(fd);
    begin = slash + 1;
  }
  const int fd =
      retried_openat(inside.valid() ? inside.get() : directory, path.c_str() + begin, flags, mode);
  const int cause = errno;
  inside = Fd();
  errno = cause;
  return fd;
}

bool climbs(const std::string& path) {
  return path.empty() || path.starts_with('/') ||
         ("/" + path + "/").find("/../") != std::string::npos;
}

Error can_be_changed(const std::string& path, const std::string& component) {
  return {ErrorCode::permission_denied,
          path + ": others than root can change " + component,
          "it is not used as long as that is so: chown root:root " + component + " && chmod go-w " +
              component};
}

} // namespace

Result<Fd> open_beneath(const Fd& directory,
                        const std::string& path,
                        int flags,
                        unsigned mode,
                        const std::string& shown) {
  if (climbs(path)) {
    return Error{ErrorCode::invalid_argument, shown + ": not a path below a directory", {}};
  }
  int fd = by_openat2(directory.get(), path, flags | k_careful, mode);
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) {
    fd = by_components(directory.get(), path, flags | k_careful, mode);
  }
  RB_TRY_ASSIGN(Fd file, opened(fd, shown));
  // A file that this call made is regular; a check that fails would leave it behind.
  const bool made = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
  return made ? Result<Fd>(std::move(file)) : regular_only(std::move(file), shown);
}

Result<Fd> open_regular(const std::string& path) {
  RB_TRY_ASSIGN(const WalkEnd end, walk_path(path));
  if (end.weak_link) {
    return Error{ErrorCode::permission_denied,
                 path + ": leads through a link that others than root can change (in " + end.weak +
                     ")",
                 "name the file itself"};
  }
  if (!S_ISREG(end.status.st_mode)) {
    return not_regular(path);
  }
  return open_beneath(end.parent, end.name, O_RDONLY, 0, path);
}

Result<SecretBytes> read_regular(const std::string& path, std::size_t limit_bytes) {
  RB_TRY_ASSIGN(const Fd fd, open_regular(path));
  return read_secret_file(fd, path, limit_bytes);
}

Result<std::string> read_regular_text(const std::string& path, std::size_t limit_bytes) {
  RB_TRY_ASSIGN(const SecretBytes bytes, read_regular(path, limit_bytes));
  return std::string(bytes.text());
}

Status check_root_owned(const std::string& path) {
  RB_TRY_ASSIGN(const WalkEnd end, walk_path(path));
  if (!S_ISREG(end.status.st_mode)) {
    return not_regular(path);
  }
  if (!end.weak.empty()) {
    return can_be_changed(path, end.weak);
  }
  if ((end.status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return can_be_changed(path, path);
  }
  return {};
}

} // namespace rb

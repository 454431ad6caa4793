#include "base/open_beneath.hpp"

#include "base/path_walk.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace rb {

namespace {

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

Error too_large(const std::string& path, std::size_t limit_bytes) {
  return {
      ErrorCode::unsupported, path + ": larger than " + std::to_string(limit_bytes) + " bytes", {}};
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

Result<SecretBytes>
read_secret_file(const Fd& fd, const std::string& path, std::size_t limit_bytes) {
  // Read in one buffer of one size, so that no copy of a secret stays behind in freed memory.
  RB_TRY_ASSIGN(const std::uint64_t size, file_size(fd, path));
  if (size > limit_bytes) {
    return too_large(path, limit_bytes);
  }
  // Files in /proc and pipes say 0; they are read up to the limit.
  SecretBytes buffer(size != 0 ? static_cast<std::size_t>(size) + 1 : limit_bytes + 1);
  RB_TRY_ASSIGN(const std::size_t got, read_up_to(fd, buffer.span(), path));
  if (got > limit_bytes) {
    return too_large(path, limit_bytes);
  }
  return SecretBytes(buffer.view().first(got));
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

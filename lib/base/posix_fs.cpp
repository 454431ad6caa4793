#include "base/posix_fs.hpp"

#include "base/modes.hpp"
#include "base/open_beneath.hpp"
#include "base/posix_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace rb {

namespace {

constexpr mode_t k_file_mode = 0600;

Status check_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    return Error{ErrorCode::invalid_argument, "not the name of a file: " + name, {}};
  }
  return {};
}

} // namespace

Result<Fd> PosixFs::open_at(const std::string& name, int flags) {
  RB_TRY(check_name(name));
  return open_beneath(m_fd, name, flags, k_file_mode, path_of(name));
}

Result<std::unique_ptr<File>> PosixFs::create(const std::string& name) {
  RB_TRY_ASSIGN(Fd fd, open_at(name, O_WRONLY | O_CREAT | O_EXCL));
  // Whatever the umask was.
  if (const Status given = give_mode(fd, k_file_mode, path_of(name)); !given) {
    static_cast<void>(remove(name)); // nobody else knows that it is there
    return given.error();
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path_of(name)));
}

Result<std::unique_ptr<File>> PosixFs::create_nameless(const std::string& name) {
  RB_TRY(check_name(name));
  Fd directory(::fcntl(m_fd.get(), F_DUPFD_CLOEXEC, 0));
  if (!directory.valid()) {
    return system_error(errno, m_path + ": dup");
  }
  Fd fd(::openat(directory.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, k_file_mode));
  if (!fd.valid()) {
    const bool none = errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT;
    return none ? Fs::create_nameless(name).error() : system_error(errno, path_of(name) + ": open");
  }
  RB_TRY(give_mode(fd, k_file_mode, path_of(name))); // whatever the umask was
  return std::unique_ptr<File>(
      std::make_unique<PosixFile>(std::move(fd), path_of(name), std::move(directory)));
}

Result<std::unique_ptr<File>> PosixFs::open_append(const std::string& name) {
  RB_TRY_ASSIGN(Fd fd, open_at(name, O_WRONLY | O_CREAT | O_APPEND));
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path_of(name) + ": stat");
  }
  // Else what we append would be in a file of somewhere else, too.
  if (status.st_nlink != 1) {
    return Error{ErrorCode::unsupported, path_of(name) + ": has a second name (a hard link)", {}};
  }
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path_of(name)));
}

Result<std::unique_ptr<File>> PosixFs::open_read(const std::string& name) {
  RB_TRY_ASSIGN(Fd fd, open_at(name, O_RDONLY));
  return std::unique_ptr<File>(std::make_unique<PosixFile>(std::move(fd), path_of(name)));
}

Result<std::unique_ptr<File>> PosixFs::open_uncached(const std::string& name) {
  // Dropping the clean pages and reading with readahead was twice as fast as O_DIRECT, and works
  // where O_DIRECT does not (tmpfs, overlay).
  RB_TRY_ASSIGN(Fd fd, open_at(name, O_RDONLY));
  auto file = std::make_unique<PosixFile>(std::move(fd), path_of(name));
  file->drop_cache();
  return std::unique_ptr<File>(std::move(file));
}

Status PosixFs::rename_new(const std::string& from, const std::string& to) {
  RB_TRY(check_name(from));
  RB_TRY(check_name(to));
  if (::renameat2(m_fd.get(), from.c_str(), m_fd.get(), to.c_str(), RENAME_NOREPLACE) == 0) {
    return {};
  }
  if (errno != EINVAL && errno != ENOSYS) {
    return system_error(errno, path_of(to) + ": rename");
  }
  // A file system without RENAME_NOREPLACE (NFS): a hard link does not replace either.
  if (::linkat(m_fd.get(), from.c_str(), m_fd.get(), to.c_str(), 0) != 0) {
    return system_error(errno, path_of(to) + ": link");
  }
  return remove(from);
}

Status PosixFs::rename_over(const std::string& from, const std::string& to) {
  RB_TRY(check_name(from));
  RB_TRY(check_name(to));
  if (::renameat(m_fd.get(), from.c_str(), m_fd.get(), to.c_str()) != 0) {
    return system_error(errno, path_of(to) + ": rename");
  }
  return {};
}

Status PosixFs::remove(const std::string& name) {
  RB_TRY(check_name(name));
  if (::unlinkat(m_fd.get(), name.c_str(), 0) != 0) {
    return system_error(errno, path_of(name) + ": remove");
  }
  return {};
}

Status PosixFs::check_removable(const std::string& name) {
  const auto fd = open_at(name, O_RDONLY | O_NONBLOCK);
  if (!fd && fd.error().code == ErrorCode::not_found) {
    return {};
  }
  int flags = 0;
  // Where it cannot be asked (another file system), removing will tell.
  if (fd && ::ioctl(fd->get(), FS_IOC_GETFLAGS, &flags) == 0 &&
      (flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) != 0) {
    return Error{ErrorCode::permission_denied,
                 path_of(name) + ": cannot be removed: it has an attribute that forbids it",
                 "as root: chattr -i -a " + path_of(name)};
  }
  return {};
}

Status PosixFs::sync_directory() {
  return sync_file(m_fd, m_path);
}

Result<std::vector<DirectoryEntry>> PosixFs::list() {
  // A descriptor of its own: readdir moves the position, and fdopendir takes the descriptor.
  const int own = ::openat(m_fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) {
    return system_error(errno, m_path + ": open");
  }
  struct Close {
    void operator()(DIR* stream) const { ::closedir(stream); }
  };
  const std::unique_ptr<DIR, Close> stream(::fdopendir(own));
  if (!stream) {
    const int cause = errno;
    ::close(own);
    return system_error(cause, m_path + ": open");
  }
  std::vector<DirectoryEntry> entries;
  for (;;) {
    errno = 0;
    const dirent* const entry = ::readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) {
        return system_error(errno, m_path + ": read");
      }
      break;
    }
    const std::string name = entry->d_name;
    struct stat status {};
    if (name == "." || name == ".." ||
        ::fstatat(m_fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      continue; // gone since readdir saw it
    }
    entries.push_back({name, S_ISREG(status.st_mode), static_cast<std::uint64_t>(status.st_size)});
  }
  std::sort(entries.begin(), entries.end(), [](const auto& left, const auto& right) {
    return left.name < right.name;
  });
  return entries;
}

Result<Space> PosixFs::space() {
  struct statvfs status {};
  if (::fstatvfs(m_fd.get(), &status) != 0) {
    return system_error(errno, m_path + ": statvfs");
  }
  const auto unit = static_cast<std::uint64_t>(status.f_frsize);
  return Space{status.f_bavail * unit, status.f_blocks * unit};
}

} // namespace rb

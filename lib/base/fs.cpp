#include "base/fs.hpp"

#include "base/disk_space.hpp"
#include "base/modes.hpp"
#include "base/open_beneath.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace rb {

namespace {

// 64 MiB: large enough for full throughput, small enough to bound the dirty pages.
constexpr std::uint64_t k_window_bytes = 64U << 20U;

off_t offset_of(std::uint64_t bytes) {
  return static_cast<off_t>(bytes);
}

/// A regular file. Writes leave at most two windows of dirty pages, and both ways leave nothing in
/// the page cache: a snapshot of gigabytes must not push etcd's own file out of it.
class PosixFile final : public File {
public:
  PosixFile(Fd fd, std::string path) : m_fd(std::move(fd)), m_path(std::move(path)) {}
  /// One without a name, in `directory`.
  PosixFile(Fd fd, std::string path, Fd directory)
      : m_fd(std::move(fd)), m_path(std::move(path)), m_directory(std::move(directory)) {}

  [[nodiscard]] Status write(ByteView bytes) override;
  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer) override;
  [[nodiscard]] Result<std::size_t> read_at(std::uint64_t offset, MutableByteView buffer) override;
  [[nodiscard]] Status sync() override;
  [[nodiscard]] Status close() override;
  [[nodiscard]] Status set_mode(unsigned mode) override;
  [[nodiscard]] Status give_name(const std::string& name) override;
  [[nodiscard]] Result<std::uint64_t> size() override;

  /// Forgets the clean pages of the whole file, so that reads come from the medium.
  void drop_cache();

private:
  [[nodiscard]] Status flush_window();

  Fd m_fd;
  std::string m_path;
  Fd m_directory; ///< Not valid: it has a name.
  std::uint64_t m_written_bytes = 0;
  std::uint64_t m_window_start = 0; ///< Bytes before it are on their way to the medium.
  std::uint64_t m_read_bytes = 0;
  std::uint64_t m_dropped_bytes = 0;
};

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

constexpr mode_t k_file_mode = 0600;

Status check_name(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos ||
      name.find('\0') != std::string::npos) {
    return Error{ErrorCode::invalid_argument, "not the name of a file: " + name, {}};
  }
  return {};
}

/// Fs by the *at() calls only.
class PosixFs final : public Fs {
public:
  /// `directory` is open; `path` is for messages.
  PosixFs(Fd directory, std::string path) : m_fd(std::move(directory)), m_path(std::move(path)) {}

  [[nodiscard]] Result<std::unique_ptr<File>> create(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> create_nameless(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_append(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_read(const std::string& name) override;
  [[nodiscard]] Result<std::unique_ptr<File>> open_uncached(const std::string& name) override;
  [[nodiscard]] Status rename_new(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status rename_over(const std::string& from, const std::string& to) override;
  [[nodiscard]] Status remove(const std::string& name) override;
  [[nodiscard]] Status check_removable(const std::string& name) override;
  [[nodiscard]] Status sync_directory() override;
  [[nodiscard]] Result<std::vector<DirectoryEntry>> list() override;
  [[nodiscard]] Result<Space> space() override;

private:
  [[nodiscard]] Result<Fd> open_at(const std::string& name, int flags);
  [[nodiscard]] std::string path_of(const std::string& name) const { return m_path + "/" + name; }
  [[nodiscard]] bool are_one_file(const std::string& one, const std::string& other) const;

  Fd m_fd;
  std::string m_path;
};

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

/// A link over NFS may be made and called a failure: link(2) says to look, where the answer of the
/// server was lost, and the request was sent again.
bool PosixFs::are_one_file(const std::string& one, const std::string& other) const {
  struct stat first {};
  struct stat second {};
  return ::fstatat(m_fd.get(), one.c_str(), &first, AT_SYMLINK_NOFOLLOW) == 0 &&
         ::fstatat(m_fd.get(), other.c_str(), &second, AT_SYMLINK_NOFOLLOW) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
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
  const int failed = ::linkat(m_fd.get(), from.c_str(), m_fd.get(), to.c_str(), 0) == 0 ? 0 : errno;
  if (failed == 0 || (failed == EEXIST && are_one_file(from, to))) {
    return remove(from);
  }
  if (failed != EPERM && failed != ENOSYS && failed != EOPNOTSUPP) {
    return system_error(failed, path_of(to) + ": link");
  }
  // One without hard links, too (FUSE, a folder of a virtual machine's host). Nothing there looks
  // and renames in one step; who writes sets has a lock, and names of its own.
  struct stat there {};
  if (::fstatat(m_fd.get(), to.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0) {
    return system_error(EEXIST, path_of(to) + ": rename");
  }
  return errno == ENOENT ? rename_over(from, to)
                         : Status(system_error(errno, path_of(to) + ": rename"));
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
  return rb::sync_directory(m_fd, m_path);
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
    if (name == "." || name == "..") {
      continue;
    }
    struct stat status {};
    const int looked = ::fstatat(m_fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW);
    if (auto found = listed_entry(name, entry->d_type, looked == 0 ? 0 : errno, status)) {
      entries.push_back(*std::move(found));
    }
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
  return space_of(status);
}

} // namespace

std::optional<DirectoryEntry>
listed_entry(std::string name, unsigned char type, int error, const struct stat& status) {
  if (error == 0) {
    return DirectoryEntry{
        std::move(name), S_ISREG(status.st_mode), static_cast<std::uint64_t>(status.st_size)};
  }
  if (error == ENOENT) {
    return std::nullopt; // since readdir saw it
  }
  return DirectoryEntry{std::move(name), type == DT_REG || type == DT_UNKNOWN, 0};
}

std::unique_ptr<Fs> open_fs(Fd directory, std::string path) {
  return std::make_unique<PosixFs>(std::move(directory), std::move(path));
}

} // namespace rb

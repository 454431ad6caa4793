// What a system call is, and which file it is about.
#include "fault/process/tracer.hpp"

#include <climits>

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <span>

namespace rb::test {

namespace {

enum class Names : std::uint8_t { none, by_fd, by_path, by_at };

struct Row {
  long number;
  const char* name;
  Names names;
  bool writes;
};

constexpr Row k_rows[] = {
    {SYS_read, "read", Names::by_fd, false},
    {SYS_pread64, "pread64", Names::by_fd, false},
    {SYS_readv, "readv", Names::by_fd, false},
    {SYS_write, "write", Names::by_fd, true},
    {SYS_pwrite64, "pwrite64", Names::by_fd, true},
    {SYS_writev, "writev", Names::by_fd, true},
    {SYS_open, "open", Names::by_path, false},
    {SYS_openat, "openat", Names::by_at, false},
    {SYS_openat2, "openat2", Names::by_at, false},
    {SYS_close, "close", Names::by_fd, false},
    {SYS_fsync, "fsync", Names::by_fd, true},
    {SYS_fdatasync, "fdatasync", Names::by_fd, true},
    {SYS_sync_file_range, "sync_file_range", Names::by_fd, true},
    {SYS_ftruncate, "ftruncate", Names::by_fd, true},
    {SYS_fallocate, "fallocate", Names::by_fd, true},
    {SYS_fchmod, "fchmod", Names::by_fd, true},
    {SYS_fchown, "fchown", Names::by_fd, true},
    {SYS_chmod, "chmod", Names::by_path, true},
    {SYS_fchmodat, "fchmodat", Names::by_at, true},
    {SYS_chown, "chown", Names::by_path, true},
    {SYS_lchown, "lchown", Names::by_path, true},
    {SYS_fchownat, "fchownat", Names::by_at, true},
    {SYS_rename, "rename", Names::by_path, true},
    {SYS_renameat, "renameat", Names::by_at, true},
    {SYS_renameat2, "renameat2", Names::by_at, true},
    {SYS_link, "link", Names::by_path, true},
    {SYS_linkat, "linkat", Names::by_at, true},
    {SYS_unlink, "unlink", Names::by_path, true},
    {SYS_unlinkat, "unlinkat", Names::by_at, true},
    {SYS_rmdir, "rmdir", Names::by_path, true},
    {SYS_mkdir, "mkdir", Names::by_path, true},
    {SYS_mkdirat, "mkdirat", Names::by_at, true},
    {SYS_utimensat, "utimensat", Names::by_at, true},
    {SYS_stat, "stat", Names::by_path, false},
    {SYS_fstat, "fstat", Names::by_fd, false},
    {SYS_newfstatat, "newfstatat", Names::by_at, false},
    {SYS_getdents64, "getdents64", Names::by_fd, false},
    {SYS_fstatfs, "fstatfs", Names::by_fd, false},
    {SYS_statfs, "statfs", Names::by_path, false},
    {SYS_access, "access", Names::by_path, false},
    {SYS_flock, "flock", Names::by_fd, false},
    {SYS_fadvise64, "fadvise64", Names::by_fd, false},
    {SYS_lseek, "lseek", Names::by_fd, false},
    {SYS_clone, "clone", Names::none, false},
    {SYS_clone3, "clone3", Names::none, false},
    {SYS_vfork, "vfork", Names::none, false},
    {SYS_fork, "fork", Names::none, false},
};

const Row* row_of(long number) {
  const auto* const found = std::find_if(
      std::begin(k_rows), std::end(k_rows), [&](const Row& row) { return row.number == number; });
  return found == std::end(k_rows) ? nullptr : found;
}

std::string link_of(const std::string& path) {
  std::array<char, PATH_MAX> text{};
  const ssize_t size = ::readlink(path.c_str(), text.data(), text.size());
  return size <= 0 ? std::string() : std::string(text.data(), static_cast<std::size_t>(size));
}

std::string fd_path(pid_t thread, std::uint64_t fd) {
  const std::string process = "/proc/" + std::to_string(thread);
  return static_cast<int>(fd) == AT_FDCWD
             ? link_of(process + "/cwd")
             : link_of(process + "/fd/" + std::to_string(static_cast<int>(fd)));
}

std::string text_at(pid_t thread, std::uint64_t address) {
  std::string text;
  std::array<char, 256> piece{};
  while (address != 0 && text.size() < PATH_MAX) {
    // Not across a page: what follows it may not be mapped.
    const std::size_t size = std::min<std::size_t>(piece.size(), 4096 - address % 4096);
    iovec local{piece.data(), size};
    iovec remote{reinterpret_cast<void*>(address), size}; // NOLINT(performance-no-int-to-ptr)
    const ssize_t got = ::process_vm_readv(thread, &local, 1, &remote, 1, 0);
    if (got <= 0) {
      break;
    }
    const std::string_view found(piece.data(), static_cast<std::size_t>(got));
    text += found.substr(0, found.find('\0'));
    if (found.find('\0') != std::string_view::npos) {
      break;
    }
    address += static_cast<std::uint64_t>(got);
  }
  return text;
}

/// The first field of openat2's struct open_how.
int flags_at(pid_t thread, std::uint64_t address) {
  std::uint64_t flags = 0;
  iovec local{&flags, sizeof flags};
  iovec remote{reinterpret_cast<void*>(address), sizeof flags}; // NOLINT(performance-no-int-to-ptr)
  return ::process_vm_readv(thread, &local, 1, &remote, 1, 0) == sizeof flags
             ? static_cast<int>(flags)
             : 0;
}

} // namespace

std::string Call::name() const {
  const Row* const row = row_of(number);
  return row != nullptr ? row->name : "call " + std::to_string(number);
}

std::string Call::path() const {
  const Row* const row = row_of(number);
  if (row == nullptr) {
    return {};
  }
  switch (row->names) {
  case Names::none:
    return {};
  case Names::by_fd:
    return fd_path(thread, arguments[0]);
  case Names::by_path:
    return text_at(thread, arguments[0]);
  case Names::by_at: {
    const std::string name = text_at(thread, arguments[1]);
    return name.starts_with("/") ? name : fd_path(thread, arguments[0]) + "/" + name;
  }
  }
  return {};
}

bool Call::writes() const {
  const Row* const row = row_of(number);
  const auto flags = number == SYS_openat2
                         ? flags_at(thread, arguments[2])
                         : static_cast<int>(arguments[number == SYS_open ? 1 : 2]);
  if (number == SYS_open || number == SYS_openat || number == SYS_openat2) {
    return (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
  }
  return row != nullptr && row->writes;
}

bool Call::syncs() const {
  return number == SYS_fsync || number == SYS_fdatasync || number == SYS_sync_file_range;
}

bool Call::moves_bytes() const {
  return number == SYS_read || number == SYS_pread64 || number == SYS_write ||
         number == SYS_pwrite64;
}

bool Call::begins() const {
  return number == SYS_clone || number == SYS_clone3 || number == SYS_vfork || number == SYS_fork;
}

} // namespace rb::test

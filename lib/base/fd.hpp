// A file descriptor with an owner, whole-buffer reads and writes on it, and its mode, also where
// the file system has none of its own.
#pragma once

#include "base/bytes.hpp"
#include "base/secret_bytes.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace rb {

/// Owns one descriptor and closes it. A close that fails is lost here: where the data matters,
/// call close() and look at its result.
class Fd {
public:
  Fd() = default;
  explicit Fd(int fd) : m_fd(fd) {}
  ~Fd();
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  Fd& operator=(Fd&& other) noexcept;

  [[nodiscard]] int get() const { return m_fd; }
  [[nodiscard]] bool valid() const { return m_fd >= 0; }

  /// Closes now. Errors: io, no_space (as the file system reports them late).
  Status close(const std::string& path);

private:
  int m_fd = -1;
};

/// open(2) with O_CLOEXEC added; EINTR is retried. `path` is for the error message, too.
[[nodiscard]] Result<Fd> open_file(const std::string& path, int flags, unsigned mode = 0);

/// Writes all of `bytes`; short writes and EINTR are continued.
[[nodiscard]] Status write_all(const Fd& fd, ByteView bytes, const std::string& path);

/// Reads until `buffer` is full or the file ends; returns how many bytes were read.
[[nodiscard]] Result<std::size_t>
read_up_to(const Fd& fd, MutableByteView buffer, const std::string& path);

/// As read_up_to, at `offset` and without moving the file position.
[[nodiscard]] Result<std::size_t>
read_at(const Fd& fd, MutableByteView buffer, std::uint64_t offset, const std::string& path);

/// fsync(2); a failure is final: the data must not be called durable after a retry.
[[nodiscard]] Status sync_file(const Fd& fd, const std::string& path);

/// The same of a directory. A file system that has nothing to sync there (the shared folder of a
/// virtual machine, an older SMB client) answers EINVAL: more cannot be had, and it is no failure.
[[nodiscard]] Status sync_directory(const Fd& fd, const std::string& path);

/// Size of the open file in bytes.
[[nodiscard]] Result<std::uint64_t> file_size(const Fd& fd, const std::string& path);

/// The whole file, at most `limit_bytes`. Errors: not_found, permission_denied, io, unsupported
/// (larger than the limit).
[[nodiscard]] Result<std::string> read_text_file(const std::string& path, std::size_t limit_bytes);

/// As read_text_file, into a buffer that is wiped: for keys, tokens, kubeconfigs.
[[nodiscard]] Result<SecretBytes> read_secret_file(const std::string& path,
                                                   std::size_t limit_bytes);

/// The same of an open file, from where it is read next.
[[nodiscard]] Result<SecretBytes>
read_secret_file(const Fd& fd, const std::string& path, std::size_t limit_bytes);

// Where the file system has no modes (exFAT, FAT, NTFS, SMB), the mount options say who may read.

/// fchmod(2); where that is refused, what the mount options gave is taken as long as it lets nobody
/// but the owner in. Errors: permission_denied (others could read it; the hint names the mount
/// options that help), those of the system.
[[nodiscard]] Status give_mode(const Fd& fd, unsigned mode, const std::string& path);

/// The options that make a file system of this type (`f_type` of statfs(2)) fit for backups; empty
/// for one that has owners and modes.
[[nodiscard]] std::string mount_options_for(unsigned long file_system_type);

/// What helps where a file system of this type refuses an owner or a mode: the options above, or of
/// NFS the export; else `otherwise`.
[[nodiscard]] std::string mode_hint(unsigned long file_system_type, const std::string& otherwise);

/// The same for the file system on which `fd` is.
[[nodiscard]] std::string mode_hint(const Fd& fd, const std::string& otherwise);

} // namespace rb

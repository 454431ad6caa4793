// A file descriptor with an owner, and whole-buffer reads and writes on it.
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

} // namespace rb

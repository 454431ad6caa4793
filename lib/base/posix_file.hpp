// A regular file of the backup directory. Private to this room.
#pragma once

#include "base/fd.hpp"
#include "base/fs.hpp"

namespace rb {

/// Writes leave at most two windows of dirty pages, and both ways leave nothing in the page
/// cache: a snapshot of gigabytes must not push etcd's own file out of it.
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

} // namespace rb

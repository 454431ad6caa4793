// What comes from a remote is written under a bound that is counted as it comes: nobody over there
// fills this disk.
#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rb::offsite {

/// A new file of at most so many bytes.
class BoundedFile {
public:
  /// Mode 0600; never through a link. Errors: already_exists, those of open(2).
  [[nodiscard]] static Result<BoundedFile> create(const std::string& path,
                                                  std::uint64_t limit_bytes);

  /// False: nothing more is taken, because it would be too much or could not be written.
  [[nodiscard]] bool take(std::string_view bytes);

  /// Errors: those of write(2).
  [[nodiscard]] const Status& written() const { return m_written; }

private:
  BoundedFile(Fd fd, std::string path, std::uint64_t limit_bytes)
      : m_fd(std::move(fd)), m_path(std::move(path)), m_left_bytes(limit_bytes) {}

  Fd m_fd;
  std::string m_path;
  std::uint64_t m_left_bytes;
  Status m_written;
};

/// The size of all files below `directory`, each counted with a block at least. What cannot be read
/// counts for nothing.
[[nodiscard]] std::uint64_t bytes_below(const std::string& directory);

} // namespace rb::offsite

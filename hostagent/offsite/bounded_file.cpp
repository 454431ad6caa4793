#include "offsite/bounded_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace rb::offsite {

namespace {

constexpr std::uint64_t k_block_bytes = 4096;

} // namespace

Result<BoundedFile> BoundedFile::create(const std::string& path, std::uint64_t limit_bytes) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    return system_error(errno, path + ": open");
  }
  return BoundedFile(std::move(fd), path, limit_bytes);
}

bool BoundedFile::take(std::string_view bytes) {
  if (!m_written || bytes.size() > m_left_bytes) {
    return false;
  }
  m_left_bytes -= bytes.size();
  while (!bytes.empty()) {
    const ssize_t done = ::write(m_fd.get(), bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) {
      continue;
    }
    if (done < 0) {
      m_written = system_error(errno, m_path + ": write");
      return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

std::uint64_t bytes_below(const std::string& directory) {
  std::uint64_t total = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator entry(directory, error), end;
       !error && entry != end;
       entry.increment(error)) {
    std::error_code gone; // rclone renames what has come
    const std::uint64_t size = entry->is_regular_file(gone) ? entry->file_size(gone) : 0;
    total += gone ? k_block_bytes : std::max(size, k_block_bytes);
  }
  return total;
}

} // namespace rb::offsite

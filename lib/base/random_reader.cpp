#include "base/random_reader.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace rb {

namespace {

Error past_the_end(const std::string& subject, std::uint64_t offset, std::size_t wanted) {
  return {ErrorCode::corrupt,
          subject + ": ends before byte " + std::to_string(offset + wanted),
          "the snapshot is truncated: take another one"};
}

} // namespace

Result<std::unique_ptr<FileReader>> FileReader::open(Fd fd, std::string path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::unsupported, path + ": not a regular file", {}};
  }
  const auto size_bytes = static_cast<std::uint64_t>(status.st_size);
  return std::unique_ptr<FileReader>(new FileReader(std::move(fd), std::move(path), size_bytes));
}

FileReader::FileReader(Fd fd, std::string path, std::uint64_t size_bytes)
    : m_fd(std::move(fd)), m_path(std::move(path)), m_size_bytes(size_bytes) {}

Status FileReader::read(std::uint64_t offset, MutableByteView buffer) {
  RB_TRY_ASSIGN(const std::size_t got, read_at(m_fd, buffer, offset, m_path));
  if (got != buffer.size()) {
    return past_the_end(m_path, offset, buffer.size());
  }
  return {};
}

Status MemoryReader::read(std::uint64_t offset, MutableByteView buffer) {
  if (offset > m_bytes.size() || buffer.size() > m_bytes.size() - offset) {
    return past_the_end("snapshot", offset, buffer.size());
  }
  std::copy_n(m_bytes.begin() + static_cast<std::ptrdiff_t>(offset), buffer.size(), buffer.begin());
  return {};
}

} // namespace rb

#include "datastore/sqlite/checkpoint_watch.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <utility>

namespace rb::sqlite {

namespace {

// Bytes of the index that are locked: https://sqlite.org/walformat.html, 2.3.
constexpr long k_write_lock = 120;
constexpr long k_checkpoint_lock = 121;

using FileId = std::pair<dev_t, ino_t>;

/// -1: there is none. Its descriptor is not closed as long as the file has a name: to close any
/// descriptor of a file drops all locks of this process on it (fcntl(2)), those of whoever else has
/// the database open here, and without them the next one to open it empties the index.
int index_of(const std::string& path) {
  static std::mutex mutex;
  static std::map<FileId, Fd> kept;
  const std::lock_guard lock(mutex);
  struct stat status {};
  std::erase_if(kept, [&](const auto& entry) {
    return ::fstat(entry.second.get(), &status) == 0 && status.st_nlink == 0;
  });
  if (::stat(path.c_str(), &status) != 0) {
    return -1;
  }
  const FileId id{status.st_dev, status.st_ino};
  if (!kept.contains(id)) {
    Fd opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened.valid()) {
      return -1;
    }
    kept.emplace(id, std::move(opened));
  }
  return kept.at(id).get();
}

} // namespace

CheckpointWatch::CheckpointWatch(const std::string& database, std::chrono::milliseconds patience)
    : m_index(index_of(database + "-shm")), m_patience(patience) {}

bool CheckpointWatch::is_held(long byte) const {
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return m_index >= 0 && ::fcntl(m_index, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool CheckpointWatch::is_waiting() {
  if (!is_held(k_checkpoint_lock) || !is_held(k_write_lock)) {
    m_since.reset();
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  m_since = m_since.value_or(now);
  return now - *m_since >= m_patience;
}

} // namespace rb::sqlite

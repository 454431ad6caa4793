#include "datastore/sqlite/checkpoint_watch.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace rb::sqlite {

namespace {

// Bytes of the index that are locked: https://sqlite.org/walformat.html, 2.3.
constexpr long k_write_lock = 120;
constexpr long k_checkpoint_lock = 121;

} // namespace

CheckpointWatch::CheckpointWatch(const std::string& database, std::chrono::milliseconds patience)
    : m_index(::open((database + "-shm").c_str(), O_RDONLY | O_CLOEXEC)), m_patience(patience) {}

bool CheckpointWatch::is_held(long byte) const {
  struct flock lock {};
  lock.l_type = F_RDLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = 1;
  return m_index.valid() && ::fcntl(m_index.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
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

#include "restore/restore_note.hpp"

#include "set/directory.hpp"
#include "set/names.hpp"

namespace rb::restore {

namespace {

/// A run that begins sweeps what looks unfinished, also what is being written at that moment.
Status write_twice(set::Directory& directory, const std::string& run_id, SystemTime time) {
  const Status written = set::write_last_restore(directory, run_id, time);
  return written ? written : set::write_last_restore(directory, run_id, time);
}

} // namespace

Status RestoreNote::write(SystemTime now) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_backup_dir));
  if (!m_written) { // one that cannot be read protects nothing
    m_before = set::read_last_restore(directory).value_or(std::nullopt);
  }
  Status written = write_twice(directory, m_run_id, now);
  m_written = m_written || written;
  return written;
}

Status RestoreNote::take_back() {
  if (!m_written) {
    return {};
  }
  m_written = false;
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open(m_backup_dir));
  return m_before ? write_twice(directory, m_before->run_id, m_before->time)
                  : directory.fs().remove(std::string(set::k_last_restore_name));
}

} // namespace rb::restore

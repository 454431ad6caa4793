#include "restore/cluster/restore_lock.hpp"

#include "restore/cluster/host_files.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace rb::cluster {

Result<RestoreLock> RestoreLock::acquire(const std::string& path) {
  RB_TRY(make_directories(path.substr(0, path.rfind('/')), 0711));
  RB_TRY_ASSIGN(Fd fd, open_file(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) {
      return Error{ErrorCode::busy,
                   "another restore runs on this host; nothing was changed",
                   "wait for its end"};
    }
    return system_error(errno, path + ": flock");
  }
  return RestoreLock(std::move(fd));
}

} // namespace rb::cluster

#include "set/directory.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace rb::set {

Result<DirectoryLock> DirectoryLock::acquire(const std::string& directory_path) {
  RB_TRY_ASSIGN(Fd fd, open_file(directory_path, O_RDONLY | O_DIRECTORY));
  int result = -1;
  do {
    result = ::flock(fd.get(), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::busy,
                 directory_path + ": in use by another backup or restore",
                 "wait until it has ended; the lock goes with its process"};
  }
  if (result != 0) {
    return system_error(errno, directory_path + ": lock");
  }
  return DirectoryLock(std::move(fd));
}

} // namespace rb::set

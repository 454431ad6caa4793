// One restore at a time on a host: they share a journal, a service and a database.
#pragma once

#include "base/fd.hpp"

#include <string>

namespace rb::cluster {

/// Gone with the host; in a directory that is k3s's own.
inline constexpr const char* k_restore_lock = "/run/k3s/railiance-restore.lock";

class RestoreLock {
public:
  /// Does not wait. Errors: busy (another restore or roll-back runs), those of open(2).
  [[nodiscard]] static Result<RestoreLock> acquire(const std::string& path = k_restore_lock);

private:
  explicit RestoreLock(Fd fd) : m_fd(std::move(fd)) {}

  Fd m_fd;
};

} // namespace rb::cluster

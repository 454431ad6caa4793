#include "restore/metrics_file.hpp"

#include "base/fd.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace rb::restore {

namespace {

constexpr mode_t k_mode = 0644;

Status write_all(const Fd& fd, const std::string& path, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written < 0) {
      return system_error(errno, path + ": write");
    }
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status write_part(const std::string& part, std::string_view text) {
  // What an earlier call left behind; a link goes, and not what it points at.
  if (::unlink(part.c_str()) != 0 && errno != ENOENT) {
    return system_error(errno, part + ": unlink");
  }
  const Fd fd(::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, k_mode));
  if (fd.get() < 0) {
    return system_error(errno, part + ": open");
  }
  RB_TRY(write_all(fd, part, text));
  // Whatever the umask: node_exporter runs as a user of its own.
  if (::fchmod(fd.get(), k_mode) != 0) {
    return system_error(errno, part + ": chmod");
  }
  return {};
}

} // namespace

Status write_metrics_file(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  Status status = write_part(part, text);
  if (status && ::rename(part.c_str(), path.c_str()) != 0) {
    status = system_error(errno, path + ": rename");
  }
  if (!status) {
    ::unlink(part.c_str());
  }
  return status;
}

} // namespace rb::restore

#include "unpack/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace rb::unpack {

namespace {

constexpr mode_t k_mode = 0600;

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

Error exists(const std::string& path) {
  return {ErrorCode::already_exists,
          path + ": exists",
          "choose another name, or replace it with --force"};
}

std::string part_name(const std::string& path) {
  return "." + name_of(path) + "." + std::to_string(::getpid()) + ".part";
}

} // namespace

Result<OutputFile> OutputFile::create(const std::string& path, bool replace) {
  if (name_of(path).empty()) {
    return Error{ErrorCode::invalid_argument, path + ": not the name of a file", {}};
  }
  const std::string directory_path = directory_of(path);
  RB_TRY_ASSIGN(Fd directory, open_file(directory_path, O_RDONLY | O_DIRECTORY));
  struct stat status {};
  if (::fstatat(directory.get(), name_of(path).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!replace) {
      return exists(path);
    }
    if (!S_ISREG(status.st_mode)) {
      return Error{ErrorCode::already_exists, path + ": exists and is not a regular file", {}};
    }
  }
  OutputFile file(std::move(directory), path, replace);
  int fd = ::openat(file.m_directory.get(), ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, k_mode);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL || errno == ENOENT)) {
    file.m_part = part_name(path);
    fd = ::openat(file.m_directory.get(),
                  file.m_part.c_str(),
                  O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                  k_mode);
  }
  if (fd < 0) {
    const int cause = errno;
    file.m_part.clear(); // not ours
    return system_error(cause, path + ": open");
  }
  file.m_fd = Fd(fd);
  if (::fchmod(fd, k_mode) != 0) {
    return system_error(errno, path + ": chmod");
  }
  return file;
}

OutputFile::~OutputFile() {
  if (m_directory.valid() && !m_part.empty()) {
    ::unlinkat(m_directory.get(), m_part.c_str(), 0);
  }
}

Status OutputFile::give_name(const std::string& name) {
  const std::string self = "/proc/self/fd/" + std::to_string(m_fd.get());
  if (::linkat(AT_FDCWD, self.c_str(), m_directory.get(), name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return errno == EEXIST ? Status(exists(m_path)) : system_error(errno, m_path + ": link");
  }
  return {};
}

Status OutputFile::commit() {
  RB_TRY(sync_file(m_fd, m_path));
  const std::string name = name_of(m_path);
  if (m_part.empty()) {
    if (!m_replace) {
      RB_TRY(give_name(name));
      return sync_file(m_directory, m_path);
    }
    RB_TRY(give_name(part_name(m_path)));
    m_part = part_name(m_path);
  }
  const unsigned flags = m_replace ? 0 : RENAME_NOREPLACE;
  if (::renameat2(m_directory.get(), m_part.c_str(), m_directory.get(), name.c_str(), flags) != 0) {
    return errno == EEXIST ? Status(exists(m_path)) : system_error(errno, m_path + ": rename");
  }
  m_part.clear();
  return sync_file(m_directory, m_path);
}

} // namespace rb::unpack

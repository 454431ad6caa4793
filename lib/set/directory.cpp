#include "set/directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace rb::set {

namespace {

constexpr mode_t k_directory_mode = 0700;
constexpr mode_t k_parent_mode = 0755;
constexpr mode_t k_permission_bits = 07777;

std::string without_trailing_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') {
    path.pop_back();
  }
  return path;
}

Status sync_parent(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "."
                             : slash == 0               ? "/"
                                                        : path.substr(0, slash);
  RB_TRY_ASSIGN(const Fd fd, open_file(parent, O_RDONLY | O_DIRECTORY));
  return sync_file(fd, parent);
}

Status make_directories(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const bool last = slash == std::string::npos;
    const std::string prefix = path.substr(0, slash);
    if (::mkdir(prefix.c_str(), last ? k_directory_mode : k_parent_mode) == 0) {
      RB_TRY(sync_parent(prefix));
    } else if (errno != EEXIST) {
      return system_error(errno, prefix + ": mkdir");
    }
    if (last) {
      return {};
    }
  }
}

Status make_private(const Fd& fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  if (status.st_uid != ::geteuid()) {
    return Error{ErrorCode::permission_denied,
                 path + ": belongs to user " + std::to_string(status.st_uid) + ", not to user " +
                     std::to_string(::geteuid()),
                 mode_hint(fd, "chown it, or use another directory")};
  }
  return (status.st_mode & k_permission_bits) == k_directory_mode
             ? Status()
             : give_mode(fd, k_directory_mode, path);
}

} // namespace

Result<Directory> Directory::open(const std::string& given_path) {
  const std::string path = without_trailing_slashes(given_path);
  if (path.empty()) {
    return Error{ErrorCode::invalid_argument, "the backup directory has no name", {}};
  }
  RB_TRY(make_directories(path));
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd && (fd.error().system_errno == ENOTDIR || fd.error().system_errno == ELOOP)) {
    return Error{ErrorCode::unsupported,
                 path + ": not a directory (or a symbolic link to one)",
                 "give the real path of the backup directory"};
  }
  if (!fd) {
    return std::move(fd).error();
  }
  RB_TRY(make_private(*fd, path));
  return Directory(open_fs(std::move(*fd), path), path);
}

Result<Directory> Directory::open_existing(const std::string& given_path) {
  const std::string path = without_trailing_slashes(given_path);
  RB_TRY_ASSIGN(Fd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  return Directory(open_fs(std::move(fd), path), path);
}

Directory::Directory(std::unique_ptr<Fs> fs, std::string path)
    : m_fs(std::move(fs)), m_path(std::move(path)) {}

} // namespace rb::set

#include "restore/cluster/file_changes.hpp"

#include "set/directory.hpp"
#include "set/opened_set.hpp"

#include "base/durable_file.hpp"
#include "base/fd.hpp"
#include "base/open_beneath.hpp"
#include "base/random_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace rb::cluster {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_piece_bytes = std::size_t{1} << 20U;
constexpr std::size_t k_file_limit_bytes = std::size_t{64} << 20U;
constexpr unsigned k_permissions = 07777;
/// STATX_ATTR_MOUNT_ROOT, which older headers don't have.
constexpr std::uint64_t k_mount_root = 0x2000;
/// What is not whole yet has this after its name.
constexpr const char* k_part = ".railiance-part";

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Status sync_directory(const std::string& path) {
  RB_TRY_ASSIGN(const Fd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  return rb::sync_directory(fd, path);
}

Error failed(const std::error_code& error, const std::string& path) {
  return system_error(error.value(), path);
}

bool has_content(const std::string& path, ByteView content) {
  const auto there = read_regular(path, k_file_limit_bytes);
  return there && std::ranges::equal(there->view(), content);
}

/// A file that is mounted over another one: no name can be put in its place.
bool is_mounted_file(const std::string& path) {
  return is_mount_point(path) && !is_directory(path);
}

Status keep_mounted(const std::string& path, ByteView content) {
  if (has_content(path, content)) {
    return {};
  }
  return Error{ErrorCode::permission_denied,
               path + ": another file is mounted over it, which cannot be replaced",
               "unmount it, or where it is configuration: --keep-config leaves that as it is"};
}

/// The link itself. What was at `to` is replaced in one step, but for a directory.
Status copy_link(const std::string& from, const std::string& to) {
  std::error_code error;
  const fs::path target = fs::read_symlink(from, error);
  if (error) {
    return failed(error, from);
  }
  if (is_directory(to)) {
    RB_TRY(remove_path(to));
  }
  RB_TRY(make_directories(parent_of(to), 0700));
  const std::string part = to + k_part;
  ::unlink(part.c_str());
  if (::symlink(target.c_str(), part.c_str()) != 0) {
    return system_error(errno, part + ": symlink");
  }
  return move_path(part, to);
}

} // namespace

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

bool is_mount_point(const std::string& path) {
  struct statx found {};
  if (::statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_TYPE, &found) ==
          0 &&
      (found.stx_attributes_mask & k_mount_root) != 0) {
    return (found.stx_attributes & k_mount_root) != 0;
  }
  struct stat own {}; // a kernel before 5.8
  struct stat parent {};
  return ::lstat(path.c_str(), &own) == 0 && S_ISDIR(own.st_mode) &&
         ::stat((path + "/..").c_str(), &parent) == 0 && own.st_dev != parent.st_dev;
}

bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

Status make_directories(const std::string& path, unsigned mode) {
  struct stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) == 0) {
    return {};
  }
  RB_TRY(make_directories(fs::path(path).parent_path().string(), mode));
  const bool made = ::mkdir(path.c_str(), mode) == 0;
  if (!made && errno != EEXIST) {
    return system_error(errno, path + ": mkdir");
  }
  if (made && ::chmod(path.c_str(), mode) != 0) { // whatever the umask was
    return system_error(errno, path + ": chmod");
  }
  return sync_directory(parent_of(path));
}

Status write_file(const std::string& path, ByteView content, unsigned mode) {
  RB_TRY_ASSIGN(set::Directory directory, set::Directory::open_existing(parent_of(path)));
  DurableOrder order;
  order.name = fs::path(path).filename().string();
  order.part = order.name + k_part;
  order.mode = mode;
  order.replace = true;
  return write_durably(directory.fs(), std::move(order), content);
}

Status put_file(const std::string& path, ByteView content, unsigned mode) {
  if (is_mounted_file(path)) {
    return keep_mounted(path, content);
  }
  Status written = write_file(path, content, mode);
  if (written || written.error().code != ErrorCode::permission_denied) {
    return written;
  }
  if (has_content(path, content)) {
    return {};
  }
  written.error().hint = "where this host keeps its configuration read-only: --keep-config takes "
                         "token and manifests of the backup and leaves it as it is";
  return written;
}

Status put_copy(const std::string& from, const std::string& to) {
  if (is_mounted_file(to)) {
    RB_TRY_ASSIGN(const SecretBytes content, read_regular(from, k_file_limit_bytes));
    return keep_mounted(to, content.view());
  }
  Status copied = copy_tree(from, to);
  if (copied || copied.error().code != ErrorCode::permission_denied) {
    return copied;
  }
  const auto before = read_regular(from, k_file_limit_bytes);
  return before && has_content(to, before->view()) ? Status() : copied;
}

Status remove_written(const std::string& path) {
  RB_TRY(remove_path(path + k_part));
  return remove_path(path);
}

Status copy_file(const std::string& from, const std::string& to) {
  struct stat status {};
  if (::lstat(from.c_str(), &status) != 0) {
    return system_error(errno, from);
  }
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::unsupported, from + ": not a regular file", {}};
  }
  RB_TRY_ASSIGN(const SecretBytes content, read_regular(from, k_file_limit_bytes));
  RB_TRY(make_directories(parent_of(to), 0700));
  RB_TRY(write_file(to, content.view(), status.st_mode));
  if (::lchown(to.c_str(), status.st_uid, status.st_gid) != 0 && errno != EPERM) {
    return system_error(errno, to + ": chown");
  }
  return {};
}

Status copy_tree(const std::string& from, const std::string& to) {
  struct stat status {};
  if (::lstat(from.c_str(), &status) != 0) {
    return system_error(errno, from);
  }
  if (S_ISREG(status.st_mode)) {
    return copy_file(from, to);
  }
  if (S_ISLNK(status.st_mode)) {
    return copy_link(from, to);
  }
  if (!S_ISDIR(status.st_mode)) {
    return {};
  }
  RB_TRY(remove_path(to));
  RB_TRY(make_directories(to, 0700));
  for (const std::string& name : names_in(from, "")) {
    RB_TRY(copy_tree(from + "/" + name, to + "/" + name));
  }
  if (::chmod(to.c_str(), status.st_mode & k_permissions) != 0) {
    return system_error(errno, to + ": chmod");
  }
  return {};
}

Status link_path(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) {
    return sync_directory(parent_of(to));
  }
  if (errno == EPERM || errno == EOPNOTSUPP || errno == EMLINK) {
    return copy_large(from, to);
  }
  return system_error(errno, from + " to " + to);
}

Status copy_large(const std::string& from, const std::string& to) {
  RB_TRY_ASSIGN(Fd fd, open_regular(from));
  RB_TRY_ASSIGN(const auto reader, FileReader::open(std::move(fd), from));
  RB_TRY_ASSIGN(set::OutputFile file, set::OutputFile::create(to, /*replace=*/true));
  Bytes piece(k_piece_bytes);
  for (std::uint64_t at = 0; at < reader->size();) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), reader->size() - at));
    const MutableByteView part = MutableByteView(piece).first(size);
    RB_TRY(reader->read(at, part));
    RB_TRY(file.write(part));
    at += size;
  }
  return file.commit();
}

Status move_path(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    return system_error(errno, from + " to " + to);
  }
  RB_TRY(sync_directory(parent_of(to)));
  return sync_directory(parent_of(from));
}

Status remove_path(const std::string& path) {
  if (is_directory(path) && is_mount_point(path)) {
    for (const std::string& name : names_in(path, "")) {
      RB_TRY(remove_path(path + "/" + name));
    }
    return {};
  }
  std::error_code error;
  fs::remove_all(path, error);
  const bool gone = !error || error == std::errc::not_a_directory; // something else is above it
  return gone ? Status() : Status(failed(error, path));
}

std::vector<std::string> mount_points_in(const std::string& path) {
  std::vector<std::string> found;
  if (is_mount_point(path)) {
    found.push_back(path);
  }
  std::error_code error;
  fs::recursive_directory_iterator it;
  if (is_directory(path)) {
    it = fs::recursive_directory_iterator(path, error);
  }
  for (; !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (is_mount_point(it->path().string())) {
      found.push_back(it->path().string());
    }
  }
  return found;
}

std::vector<std::string> names_in(const std::string& directory, const std::string& prefix) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::string name = it->path().filename().string();
    if (name.starts_with(prefix)) {
      names.push_back(std::move(name));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

} // namespace rb::cluster

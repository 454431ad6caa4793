#include "set/directory.hpp"

#include "set/names.hpp"

#include "base/fd.hpp"
#include "base/fs.hpp"
#include "base/modes.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

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
  return sync_directory(fd, parent);
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

std::string readable_size(std::uint64_t bytes) {
  constexpr double mebibyte = 1024.0 * 1024.0;
  char text[32];
  static_cast<void>(
      std::snprintf(text, sizeof text, "%.1f MiB", static_cast<double>(bytes) / mebibyte));
  return text;
}

constexpr std::size_t k_path_limit_bytes = 8192;

} // namespace

Result<Directory> Directory::open(const std::string& given_path) {
  const std::string path = without_trailing_slashes(given_path);
  if (path.empty()) {
    return Error{ErrorCode::invalid_argument, "the backup directory has no name", {}};
  }
  if (Status made = make_directories(path); !made) {
    return with_refused_root_hint(std::move(made).error(), path);
  }
  auto fd = open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!fd && (fd.error().system_errno == ENOTDIR || fd.error().system_errno == ELOOP)) {
    return Error{ErrorCode::unsupported,
                 path + ": not a directory (or a symbolic link to one)",
                 "give the real path of the backup directory"};
  }
  if (!fd) {
    return with_refused_root_hint(std::move(fd).error(), path);
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

Status check_free_space(Directory& directory, std::uint64_t needed_bytes, std::string_view what) {
  RB_TRY_ASSIGN(const Space space, directory.fs().space());
  if (space.available_bytes < needed_bytes) {
    return Error{ErrorCode::no_space,
                 directory.path() + ": " + readable_size(space.available_bytes) + " free, " +
                     std::string(what) + " needs " + readable_size(needed_bytes),
                 "free some space, keep fewer sets, or use a larger disk"};
  }
  return {};
}

Result<std::string>
read_text(Directory& directory, const std::string& name, std::size_t limit_bytes) {
  RB_TRY_ASSIGN(const std::unique_ptr<File> file, directory.fs().open_read(name));
  // There may be thousands of small files to read.
  RB_TRY_ASSIGN(const std::uint64_t size_bytes, file->size());
  std::string text(static_cast<std::size_t>(std::min<std::uint64_t>(limit_bytes, size_bytes)),
                   '\0');
  RB_TRY_ASSIGN(
      const std::size_t got,
      file->read(MutableByteView(reinterpret_cast<std::uint8_t*>(text.data()), text.size())));
  text.resize(got);
  return text;
}

Result<ArtifactWriter>
ArtifactWriter::create(Directory& directory, std::string name, ReadBack* judge) {
  const NameKind kind = classify_name(name).kind;
  if (kind != NameKind::artifact && kind != NameKind::manifest && kind != NameKind::signature) {
    return Error{ErrorCode::invalid_argument, "not the name of an artifact: " + name, {}};
  }
  // Looked at early, so that nothing is written in vain; the rename decides.
  const auto taken = directory.fs().open_read(name);
  if (taken || taken.error().code == ErrorCode::unsupported) {
    return Error{ErrorCode::already_exists, directory.path() + "/" + name + ": exists", {}};
  }
  if (taken.error().code != ErrorCode::not_found) {
    return taken.error();
  }
  DurableOrder order;
  order.name = name;
  order.read_back = true;
  order.judge = judge;
  RB_TRY_ASSIGN(DurableFile file, DurableFile::create(directory.fs(), std::move(order)));
  return ArtifactWriter(directory, std::move(name), std::move(file));
}

Result<StoredFile> ArtifactWriter::commit(std::stop_token stop) {
  auto written = m_file.commit(std::move(stop));
  if (!written) {
    Error error = std::move(written).error();
    if (error.code == ErrorCode::corrupt) {
      error.message.insert(0, m_directory->path() + "/");
    }
    return error;
  }
  return StoredFile{m_name, written->size_bytes, written->sha256};
}

Status replace_file(Directory& directory, const std::string& name, ByteView content) {
  DurableOrder order;
  order.name = name;
  order.replace = true;
  return write_durably(directory.fs(), std::move(order), content);
}

Status note_directory(Directory& kept, const std::string& backup_dir) {
  const std::string name(k_noted_directory_name);
  const std::string text = backup_dir + "\n";
  const auto noted = read_text(kept, name, k_path_limit_bytes);
  return noted && *noted == text ? Status() : replace_file(kept, name, as_bytes(text));
}

std::string directory_of_host(const std::string& note) {
  const auto is_there = [](const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  };
  const std::string usual(k_usual_directory);
  const auto text = read_text_file(note, k_path_limit_bytes);
  const std::string noted = text ? text->substr(0, text->find('\n')) : std::string();
  return noted.starts_with('/') && (is_there(noted) || !is_there(usual)) ? noted : usual;
}

} // namespace rb::set

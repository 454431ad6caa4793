#include "restore/proof/scratch_dir.hpp"

#include "base/disk_space.hpp"
#include "base/open_beneath.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>

namespace rb::proof {

namespace {

constexpr std::size_t k_record_limit_bytes = std::size_t{64} << 10U;

constexpr std::array<const char*, 4> k_usual{
    "/var/tmp", "/tmp", "/var/lib/rancher", "/var/lib/rancher/k3s"};

void add_once(std::vector<std::string>& paths, std::string path) {
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  if (path.starts_with('/') && std::ranges::find(paths, path) == paths.end()) {
    paths.push_back(std::move(path));
  }
}

Status append_line(const std::string& path, const std::string& line) {
  std::error_code ignored;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (std::filesystem::create_directories(parent, ignored)) {
    ::chmod(parent.c_str(), 0700);
  }
  RB_TRY_ASSIGN(const Fd file,
                open_file(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0600));
  const ssize_t written = ::write(file.get(), line.data(), line.size());
  if (written != static_cast<ssize_t>(line.size())) {
    return system_error(written < 0 ? errno : ENOSPC, path);
  }
  RB_TRY(sync_file(file, path));
  RB_TRY_ASSIGN(const Fd directory, open_file(parent.string(), O_RDONLY | O_DIRECTORY));
  return sync_directory(directory, parent.string());
}

constexpr std::string_view k_name = "railiance-boot-";
constexpr int k_tries = 5;
constexpr std::size_t k_path_limit = 80; // a socket address takes 107 bytes
constexpr std::uint64_t k_fixed_bytes = std::uint64_t{640} << 20U;

Result<Fd> open_directory(const std::string& path) {
  return open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

bool is_ours(const Fd& directory) {
  struct stat status {};
  return ::fstat(directory.get(), &status) == 0 && status.st_uid == ::geteuid();
}

/// It has its name still: a sweep between its making and its locking took it for a dead one's.
bool is_named(const Fd& directory, const std::string& path) {
  struct stat here {};
  struct stat there {};
  return ::fstat(directory.get(), &here) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

bool lock_now(const Fd& directory) {
  return ::flock(directory.get(), LOCK_EX | LOCK_NB) == 0;
}

/// k3s unpacks its programs there, and runs them.
Status check_place(const std::string& parent, std::uint64_t needed_bytes) {
  struct statvfs space {};
  if (::statvfs(parent.c_str(), &space) != 0) {
    return system_error(errno, parent);
  }
  if ((space.f_flag & ST_NOEXEC) != 0) {
    return Error{ErrorCode::unsupported,
                 parent + ": mounted noexec, and a scratch server runs programs from there",
                 "name a directory where programs may run: --scratch-dir"};
  }
  const std::uint64_t free_bytes = space_of(space).available_bytes;
  if (free_bytes < needed_bytes) {
    return Error{ErrorCode::no_space,
                 parent + ": " + std::to_string(free_bytes >> 20U) + " MiB free, a scratch server" +
                     " needs " + std::to_string(needed_bytes >> 20U),
                 "name a directory on a larger disk: --scratch-dir"};
  }
  return {};
}

} // namespace

std::vector<std::string> ScratchPlaces::recorded() const {
  std::vector<std::string> paths;
  const auto text = read_regular_text(m_record, k_record_limit_bytes);
  std::string_view rest = text ? std::string_view(*text) : std::string_view();
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    add_once(paths, std::string(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return paths;
}

Status ScratchPlaces::note(const std::string& parent) const {
  if (m_record.empty()) {
    return {};
  }
  if (parent.find('\n') != std::string::npos) {
    return Error{
        ErrorCode::invalid_argument, "a scratch directory with a line end in its path", {}};
  }
  std::vector<std::string> known = recorded();
  known.insert(known.end(), k_usual.begin(), k_usual.end());
  if (std::ranges::find(known, parent) != known.end()) {
    return {};
  }
  Status noted = append_line(m_record, "\n" + parent + "\n"); // the last line may be a torn one
  if (!noted) {
    noted.error().hint = "name a usual place for the scratch directory: --scratch-dir /var/tmp";
  }
  return noted;
}

std::vector<std::string> ScratchPlaces::all() const {
  if (m_record.empty()) {
    return {};
  }
  std::vector<std::string> paths = recorded();
  for (const char* const usual : k_usual) {
    add_once(paths, usual);
  }
  if (const char* const temporary = std::getenv("TMPDIR"); temporary != nullptr) {
    add_once(paths, temporary);
  }
  return paths;
}

void ScratchPlaces::sweep() const {
  for (const std::string& path : all()) {
    sweep_scratch_dirs(path);
  }
}

/// Of a process that is gone: the lock can be had.
void sweep_scratch_dirs(const std::string& parent) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(parent, error), end; !error && it != end;
       it.increment(error)) {
    const std::string path = it->path().string();
    if (!it->path().filename().string().starts_with(k_name)) {
      continue;
    }
    const auto directory = open_directory(path);
    if (directory && is_ours(*directory) && lock_now(*directory)) {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  }
}

std::uint64_t scratch_bytes_for(std::uint64_t snapshot_bytes) {
  return 3 * snapshot_bytes + k_fixed_bytes;
}

Result<ScratchDir> ScratchDir::make(const std::string& parent,
                                    std::uint64_t needed_bytes,
                                    const ScratchPlaces& places) {
  if (!parent.starts_with('/') || parent.size() > k_path_limit - k_name.size() - 7) {
    return Error{ErrorCode::invalid_argument,
                 parent + ": not an absolute path of at most 58 bytes",
                 "a socket lies in the scratch directory: choose a shorter one"};
  }
  sweep_scratch_dirs(parent);
  places.sweep();
  RB_TRY(check_place(parent, needed_bytes));
  RB_TRY(places.note(parent));
  for (int tries = 0; tries < k_tries; ++tries) {
    std::string path = parent + "/" + std::string(k_name) + "XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) { // 0700
      return system_error(errno, parent + ": the scratch directory cannot be made");
    }
    auto directory = open_directory(path);
    if (directory && lock_now(*directory) && is_named(*directory, path)) {
      return ScratchDir(std::move(path), std::move(*directory));
    }
  }
  return Error{ErrorCode::busy, parent + ": other commands sweep it all the time", {}};
}

ScratchDir::ScratchDir(ScratchDir&& other) noexcept
    : m_path(std::exchange(other.m_path, std::string())), m_lock(std::move(other.m_lock)) {}

ScratchDir::~ScratchDir() {
  (void)remove(); // nobody is left to tell
}

Status ScratchDir::remove() {
  if (m_path.empty()) {
    return {};
  }
  std::error_code error;
  std::filesystem::remove_all(m_path, error);
  if (error) {
    return system_error(error.value(), m_path + ": cannot be removed");
  }
  m_path.clear();
  return {};
}

} // namespace rb::proof

// The backup directory: opened once, then used by its descriptor only, so that nobody can swap
// it or anything in it for a link.
#pragma once

#include "base/fd.hpp"
#include "base/fs.hpp"

#include <memory>
#include <string>

namespace rb::set {

/// An open backup directory. Move-only; used by one thread at a time.
class Directory {
public:
  /// For writing. Made with mode 0700 when missing (its parents with 0755); it must be a real
  /// directory (no link) of our own user; wider modes are narrowed to 0700. Errors: those of Fs,
  /// unsupported (a link or not a directory), permission_denied (somebody else's).
  [[nodiscard]] static Result<Directory> open(const std::string& path);

  /// For reading: nothing is made or changed, any owner, a link is followed.
  [[nodiscard]] static Result<Directory> open_existing(const std::string& path);

  /// On an Fs of the caller's (tests). `path` is for messages.
  Directory(std::unique_ptr<Fs> fs, std::string path);

  [[nodiscard]] Fs& fs() const { return *m_fs; }
  [[nodiscard]] const std::string& path() const { return m_path; }

private:
  std::unique_ptr<Fs> m_fs;
  std::string m_path;
};

/// The lock of a backup directory: held by whoever writes to it. flock(2) on the directory
/// itself: it leaves no file behind, and the kernel drops it when the process ends.
class DirectoryLock {
public:
  /// Does not wait. Errors: busy (another process or another DirectoryLock holds it), those of
  /// open(2).
  [[nodiscard]] static Result<DirectoryLock> acquire(const std::string& directory_path);

private:
  explicit DirectoryLock(Fd fd) : m_fd(std::move(fd)) {}

  Fd m_fd;
};

/// Removes what a crashed run left under names of ours: "<our name>.part", and the rest of sets
/// whose removal had begun. Foreign files stay, and what can't be removed: the next sweep tries
/// it again, and nobody waits for it. Call it under the lock. Returns the names removed. Errors:
/// those of Fs::list and of syncing.
[[nodiscard]] Result<std::vector<std::string>> sweep_leftovers(Directory& directory);

/// Fails with no_space when less than `needed_bytes` are free; the message has both numbers.
[[nodiscard]] Status check_free_space(Directory& directory, std::uint64_t needed_bytes);

} // namespace rb::set

// The backup directory: opened once, then used by its descriptor only, so that nobody can swap it
// or anything in it for a link; locked by whoever writes to it. A file in it has its final name
// only when it is whole, has been synced, and has been read back from the medium with the digest
// that was written.
#pragma once

#include "base/digest.hpp"
#include "base/durable_file.hpp"
#include "base/fd.hpp"
#include "base/fs.hpp"

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

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

/// Fails with no_space when less than `needed_bytes` are free; the message has both numbers, and
/// `what` needs them.
[[nodiscard]] Status check_free_space(Directory& directory,
                                      std::uint64_t needed_bytes,
                                      std::string_view what = "a backup");

/// The beginning of a file, at most `limit_bytes`. Errors: those of Fs.
[[nodiscard]] Result<std::string>
read_text(Directory& directory, const std::string& name, std::size_t limit_bytes);

struct StoredFile {
  std::string name;
  std::uint64_t size_bytes = 0;
  Sha256Digest sha256{};
};

/// One file in the making, as "<name>.part" (mode 0600). Discarded by the destructor unless
/// commit() succeeded. The Directory must outlive it. Used by one thread at a time.
class ArtifactWriter {
public:
  /// Errors: already_exists (the final name is taken), invalid_argument (not a name of ours),
  /// those of Fs.
  /// `judge`: as DurableOrder has it; null: the digest of what was written is compared.
  [[nodiscard]] static Result<ArtifactWriter>
  create(Directory& directory, std::string name, ReadBack* judge = nullptr);

  /// Appends. Hashes in the same pass (but with a judge), and keeps the amount of dirty pages
  /// bounded.
  [[nodiscard]] Status write(ByteView bytes) { return m_file.write(bytes); }

  [[nodiscard]] std::uint64_t size_bytes() const { return m_file.size_bytes(); }

  /// fsync, read back and compare, rename without replacing, fsync of the directory. Once.
  /// Errors: corrupt (what was read back is not what was written: VerificationFailed),
  /// already_exists, cancelled, those of Fs. After an error the final name does not exist, with
  /// one exception: if the very last sync fails, it exists and may be lost in a power cut; the
  /// file is removed again as far as that is possible.
  [[nodiscard]] Result<StoredFile> commit(std::stop_token stop = {});

private:
  ArtifactWriter(Directory& directory, std::string name, DurableFile file)
      : m_directory(&directory), m_name(std::move(name)), m_file(std::move(file)) {}

  Directory* m_directory;
  std::string m_name;
  DurableFile m_file;
};

/// Replaces a small file in one durable step: "<name>.part", fsync, rename over, fsync of the
/// directory. Errors: those of Fs. The old content stays when it fails.
[[nodiscard]] Status replace_file(Directory& directory, const std::string& name, ByteView content);

// Where the sets of this host are, for commands to which nobody says it.

/// Where the sets are when nobody says where.
inline constexpr std::string_view k_usual_directory = "/opt/backup/railiance/cluster";

/// Among what the agent keeps on its host: a line with the backup directory, for the commands
/// there.
inline constexpr std::string_view k_noted_directory_name = "backup-directory";

/// Writes it where it says something else. Errors: those of Fs.
[[nodiscard]] Status note_directory(Directory& kept, const std::string& backup_dir);

/// The directory that `note` names, else the usual one. One that is not there counts only where the
/// usual one is not there, either.
[[nodiscard]] std::string directory_of_host(const std::string& note);

} // namespace rb::set

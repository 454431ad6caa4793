// The file system as the backup directory needs it: one flat directory, named files in it, and
// the two syncs that make a change survive a power cut. Tests put a disk behind it that fails,
// fills up, or loses what was not synced.
#pragma once

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "base/port.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rb {

/// One open file. Used by one thread at a time. Closed when it goes; a writer calls close().
class File : public Port {
public:
  /// All of `bytes`, at the end. Errors: no_space, io.
  [[nodiscard]] virtual Status write(ByteView bytes) = 0;
  /// Until `buffer` is full or the file ends; returns how many bytes were read.
  [[nodiscard]] virtual Result<std::size_t> read(MutableByteView buffer) = 0;
  /// As read, at `offset` and without moving the position.
  [[nodiscard]] virtual Result<std::size_t> read_at(std::uint64_t offset,
                                                    MutableByteView buffer) = 0;
  /// Data and size are on the medium afterwards. A failure is final: a second call that
  /// succeeds proves nothing (Linux drops the error with the page).
  [[nodiscard]] virtual Status sync() = 0;
  [[nodiscard]] virtual Status close() = 0;
  /// Permissions, instead of 0600. Errors: unsupported (it has none), those of fchmod(2).
  [[nodiscard]] virtual Status set_mode(unsigned) {
    return Error{ErrorCode::unsupported, "not a file that has a mode", {}};
  }
  /// Of one that has none yet. Errors: already_exists; unsupported (it has a name).
  [[nodiscard]] virtual Status give_name(const std::string&) {
    return Error{ErrorCode::unsupported, "the file has a name already", {}};
  }
  [[nodiscard]] virtual Result<std::uint64_t> size() = 0;
};

struct DirectoryEntry {
  std::string name;
  bool regular = false; ///< A regular file; nothing else (links, directories) is ever touched.
  std::uint64_t size_bytes = 0;
};

/// What a listing says of a name, by its type of readdir(3) and by stat(2), which failed with
/// `error` where that is not 0. Nothing: it is gone. What is there and cannot be looked at (a
/// network that fails, a dead mount) is listed, of no size: who took it for gone would remove what
/// belongs to it. Pure.
[[nodiscard]] std::optional<DirectoryEntry>
listed_entry(std::string name, unsigned char type, int error, const struct stat& status);

struct Space {
  std::uint64_t available_bytes = 0; ///< For us, without the reserve of the file system.
  std::uint64_t total_bytes = 0;
};

/// One directory. Names are single components; links are never followed. Used by one thread at a
/// time. Errors of all: not_found, already_exists, permission_denied, no_space, io; the message
/// begins with the path.
class Fs : public Port {
public:
  /// A new, empty file, mode 0600. Errors besides: already_exists.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::string& name) = 0;
  /// A new, empty file that has no name and goes when it is closed, mode 0600; `name`, which it may
  /// be given later, is for messages. Errors: unsupported (there are none such here), those of Fs.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create_nameless(const std::string&) {
    return Error{ErrorCode::unsupported, "no files without a name here", {}};
  }
  /// To append; made with mode 0600 when missing.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open_append(const std::string& name) = 0;
  /// To read from the start. Errors besides: unsupported (not a regular file).
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open_read(const std::string& name) = 0;
  /// As open_read, from the medium and not from the page cache, as far as the file system can.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open_uncached(const std::string& name) = 0;
  /// Errors besides: already_exists (`to` is there; it is left as it is, but on a file system with
  /// neither RENAME_NOREPLACE nor hard links where somebody makes it at the same moment).
  [[nodiscard]] virtual Status rename_new(const std::string& from, const std::string& to) = 0;
  /// Replaces `to` in one step.
  [[nodiscard]] virtual Status rename_over(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Status remove(const std::string& name) = 0;
  /// Whether remove() would surely fail, as far as that can be told beforehand: an attribute of the
  /// file forbids it (chattr +i, +a). Errors besides: permission_denied.
  [[nodiscard]] virtual Status check_removable(const std::string&) { return {}; }
  /// Names made, renamed and removed so far are on the medium afterwards.
  [[nodiscard]] virtual Status sync_directory() = 0;
  /// Sorted by name, without "." and "..".
  [[nodiscard]] virtual Result<std::vector<DirectoryEntry>> list() = 0;
  [[nodiscard]] virtual Result<Space> space() = 0;
};

/// The open `directory`; `path` begins messages. It leaves at most two windows of 64 MiB of dirty
/// pages, and nothing of what it read or wrote in the page cache.
[[nodiscard]] std::unique_ptr<Fs> open_fs(Fd directory, std::string path);

} // namespace rb

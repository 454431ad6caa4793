// The off-site place as this program needs it: one flat directory of named files, somewhere behind
// a network; tests stand in for it. And the remote as a read-only directory of backup sets, so that
// what lists a disk lists a remote.
#pragma once

#include "set/directory.hpp"

#include "base/port.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::offsite {

struct RemoteFile {
  std::string name;
  std::uint64_t size_bytes = 0;

  bool operator==(const RemoteFile&) const = default;
};

/// A file of that name and size is in the listing.
[[nodiscard]] bool is_listed(const RemoteFile& wanted, const std::vector<RemoteFile>& there);

/// Of the small files that are fetched at a time: in a pod temporary files lie in memory.
inline constexpr std::uint64_t k_batch_limit_bytes = std::uint64_t{12} << 20U;

/// Names are single components. Used by one thread at a time. Errors of all: unavailable (no
/// connection, a timeout, 5xx), permission_denied, no_space, not_found, invalid_argument (the
/// remote is not configured), cancelled, io. Messages name the remote and hold no password.
class RemoteStore : public Port {
public:
  /// How operators call it: "nextcloud:backups/cluster".
  [[nodiscard]] virtual const std::string& name() const = 0;
  /// All files. A directory that is not there yet is an empty one.
  [[nodiscard]] virtual Result<std::vector<RemoteFile>> list(std::stop_token stop) = 0;
  /// Sends the file at `local_path`; replaces what is there. Errors besides: corrupt (the other
  /// side noticed that it is not what was sent).
  [[nodiscard]] virtual Status
  put(const std::string& local_path, const RemoteFile& file, std::stop_token stop) = 0;
  /// SHA-256 (lower-case hex) of the bytes that the other side gives back.
  [[nodiscard]] virtual Result<std::string> sha256(const RemoteFile& file,
                                                   std::stop_token stop) = 0;
  /// Writes the file to `local_path`, where there is none: never more than `file.size_bytes`, which
  /// the caller knows from elsewhere. Errors besides: corrupt (more came; what came stays there).
  [[nodiscard]] virtual Status
  get(const RemoteFile& file, const std::string& local_path, std::stop_token stop) = 0;
  /// Fetches files of the listing into the directory `local_path`; one that is gone meanwhile is
  /// left out. Never more than k_batch_limit_bytes of all, whatever sizes were listed. Errors
  /// besides: corrupt (more came), io (no room here).
  [[nodiscard]] virtual Status get_small(const std::vector<RemoteFile>& files,
                                         const std::string& local_path,
                                         std::stop_token stop) = 0;
  /// One that is gone already, by another server's retention, is removed.
  [[nodiscard]] virtual Status remove(const std::string& name, std::stop_token stop) = 0;
};

/// Which sets of a remote are looked at, as many of them as the memory of this takes.
struct RemoteWish {
  std::set<std::string> run_ids = {}; ///< These before all others,
  bool others = true;                 ///< and then the newest of the others.
};

struct RemoteListing {
  set::Directory directory;
  std::size_t left_out = 0; ///< Sets that were wished for, and for which there was no room.
};

/// Names and sizes as listed, without those of sets that were not looked at, and the contents of
/// the manifests, of their signatures and of the public keys, fetched once, some at a time, through
/// a private temporary directory that is gone when this returns. Other files cannot be read, nor a
/// manifest that is absurdly large. Errors: unsupported (public keys without end), those of
/// RemoteStore and of the directory.
[[nodiscard]] Result<RemoteListing>
read_remote(RemoteStore& remote, const RemoteWish& wish, std::stop_token stop);

/// The newest sets of it.
[[nodiscard]] Result<set::Directory> open_remote(RemoteStore& remote, std::stop_token stop);

} // namespace rb::offsite

// A directory for one drill: 0700, and gone with its owner. Where they were made is written down:
// what a killed drill left is removed by whatever command comes next, wherever it lies.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace rb::proof {

/// Shared by the agent and railiance-restore of a host. Not in the backup directory, which may be
/// read-only, and is copied elsewhere.
inline constexpr const char* k_scratch_record = "/var/lib/railiance-backup/scratch-places";

class ScratchPlaces {
public:
  /// Keeps no record, and knows no places.
  ScratchPlaces() = default;
  explicit ScratchPlaces(std::string record_path) : m_record(std::move(record_path)) {}

  /// Writes down, durably, that something will lie in `parent`. Before it does. Errors: io,
  /// permission_denied, no_space.
  [[nodiscard]] Status note(const std::string& parent) const;

  /// Those written down, and those that are usual on any host. Lines that are no absolute path are
  /// passed over: the file is only ever a hint where to look.
  [[nodiscard]] std::vector<std::string> all() const;

  /// sweep_scratch_dirs() in each of them. What is in use, and what is not ours, stays.
  void sweep() const;

private:
  [[nodiscard]] std::vector<std::string> recorded() const;

  std::string m_record;
};

/// What lies in it is readable by its owner only, and holds secrets in plain form.
class ScratchDir {
public:
  /// Makes `<parent>/railiance-boot-XXXXXX`, which must be absolute and short enough for sockets in
  /// it, with `needed_bytes` free for an unprivileged writer. First removes what drills that are no
  /// longer running left, there and in all `places`, and notes `parent` among them.
  /// Errors: invalid_argument, not_found, permission_denied, no_space, io.
  [[nodiscard]] static Result<ScratchDir>
  make(const std::string& parent, std::uint64_t needed_bytes, const ScratchPlaces& places = {});

  ~ScratchDir();
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;
  ScratchDir(ScratchDir&& other) noexcept;
  ScratchDir& operator=(ScratchDir&&) = delete;

  [[nodiscard]] const std::string& path() const { return m_path; }

  /// Removes it with all that is in it. Errors: io, permission_denied. The destructor does it, too,
  /// where this was not called.
  [[nodiscard]] Status remove();

private:
  ScratchDir(std::string path, Fd lock) : m_path(std::move(path)), m_lock(std::move(lock)) {}

  std::string m_path; ///< Empty: nothing to remove.
  Fd m_lock;          ///< The directory itself, locked (flock) as long as the drill runs.
};

/// Removes what drills and proofs of this user that are no longer running left in `parent`. What
/// cannot be removed stays for the next time.
void sweep_scratch_dirs(const std::string& parent);

/// What a scratch server and the decrypted snapshot need on the disk: the file itself, the restored
/// database and its growth, the log of etcd, and k3s's own programs where it unpacks them anew.
[[nodiscard]] std::uint64_t scratch_bytes_for(std::uint64_t snapshot_bytes);

} // namespace rb::proof

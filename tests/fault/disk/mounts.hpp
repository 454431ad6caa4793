// File systems of a test's own: small ones in memory, and one on a loop device whose power can be
// cut. Need root. Unmounted when they go.
#pragma once

#include <cstdint>
#include <string>

namespace rb::test {

/// A tmpfs over `path`, which is made.
class Tmpfs {
public:
  Tmpfs(std::string path, const std::string& options);
  ~Tmpfs();
  Tmpfs(const Tmpfs&) = delete;
  Tmpfs& operator=(const Tmpfs&) = delete;
  Tmpfs(Tmpfs&&) = delete;
  Tmpfs& operator=(Tmpfs&&) = delete;

  [[nodiscard]] bool mounted() const { return m_mounted; }
  [[nodiscard]] bool make_read_only() const;

private:
  std::string m_path;
  bool m_mounted = false;
};

/// What a power cut leaves in the journal (FS_IOC_SHUTDOWN, fs/ext4 and fs/xfs).
enum class PowerCut : unsigned {
  journal_written = 1, ///< What was done to names is on the medium, data as the mode has it.
  journal_lost = 2,    ///< Only what was synced is on the medium.
};

/// ext4, xfs or btrfs in an image in memory, mounted over `path`, which is made.
class LoopDisk {
public:
  LoopDisk(std::string path, std::string kind, std::string options);
  ~LoopDisk();
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;
  LoopDisk(LoopDisk&&) = delete;
  LoopDisk& operator=(LoopDisk&&) = delete;

  [[nodiscard]] bool mounted() const { return m_mounted; }
  /// From here on nothing reaches the medium any more. False when the kernel refuses.
  [[nodiscard]] bool cut(PowerCut how) const;
  /// Unmounts, and mounts again: the journal is replayed.
  [[nodiscard]] bool come_back();

  /// btrfs only: no more than that may lie on it, whoever writes (root, too); EDQUOT from there on.
  /// False when the kernel or the tools refuse.
  [[nodiscard]] bool set_quota(std::uint64_t bytes) const;
  [[nodiscard]] bool lift_quota() const;

  /// mkfs of that kind is there.
  [[nodiscard]] static bool can_make(const std::string& kind);

private:
  [[nodiscard]] bool mount();
  void unmount();

  std::string m_path;
  std::string m_kind;
  std::string m_options;
  std::string m_image;
  bool m_mounted = false;
};

} // namespace rb::test

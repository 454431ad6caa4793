#include "fault/disk/mounts.hpp"

#include "base/process.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <filesystem>

namespace rb::test {

namespace {

// _IOR('X', 125, __u32), as linux/fs.h of newer kernels names it.
constexpr unsigned long k_shutdown = 0x8004587dUL;
constexpr const char* k_btrfs = "/usr/bin/btrfs";
constexpr std::uintmax_t k_image_bytes = std::uintmax_t{320}
                                         << 20U; // xfs takes no less than 300 MiB

bool runs(const std::string& program, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = std::move(arguments);
  spec.environment = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}};
  RealProcessRunner processes;
  const auto result = processes.run(spec, {});
  return result && result->exit_status == 0;
}

/// Whoever makes a mount namespace copies the mounts that are there: then a disk that was unmounted
/// here goes on there, and comes back as the one whose power was cut. So nobody else sees ours.
bool mount_apart() {
  static const bool apart = ::unshare(CLONE_NEWNS) == 0 &&
                            ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return apart;
}

std::string mkfs_of(const std::string& kind) {
  return "/sbin/mkfs." + kind;
}

} // namespace

Tmpfs::Tmpfs(std::string path, const std::string& options) : m_path(std::move(path)) {
  std::filesystem::create_directories(m_path);
  m_mounted = mount_apart() && ::mount("tmpfs", m_path.c_str(), "tmpfs", 0, options.c_str()) == 0;
}

Tmpfs::~Tmpfs() {
  if (m_mounted) {
    ::umount2(m_path.c_str(), MNT_DETACH);
  }
}

bool Tmpfs::make_read_only() const {
  return ::mount("tmpfs", m_path.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
}

LoopDisk::LoopDisk(std::string path, std::string kind, std::string options)
    : m_path(std::move(path)), m_kind(std::move(kind)), m_options(std::move(options)) {
  std::string pattern = "/dev/shm/rb-test-disk-XXXXXX";
  const int fd = ::mkstemp(pattern.data());
  if (fd < 0) {
    return;
  }
  ::close(fd);
  m_image = pattern;
  std::filesystem::resize_file(m_image, k_image_bytes);
  std::filesystem::create_directories(m_path);
  std::vector<std::string> arguments{"-q", m_image};
  if (m_kind == "ext4") {
    // Nothing is left for the kernel to write in its own time.
    arguments = {"-q", "-E", "lazy_itable_init=0,lazy_journal_init=0", m_image};
  }
  m_mounted = mount_apart() && runs(mkfs_of(m_kind), arguments) && mount();
}

LoopDisk::~LoopDisk() {
  unmount();
  if (!m_image.empty()) {
    ::unlink(m_image.c_str());
  }
}

bool LoopDisk::mount() {
  m_mounted = runs("/bin/mount", {"-t", m_kind, "-o", "loop," + m_options, m_image, m_path});
  return m_mounted;
}

void LoopDisk::unmount() {
  if (m_mounted) {
    m_mounted = !runs("/bin/umount", {m_path});
  }
}

bool LoopDisk::cut(PowerCut how) const {
  const int fd = ::open(m_path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  auto flags = static_cast<std::uint32_t>(how);
  const bool done = fd >= 0 && ::ioctl(fd, k_shutdown, &flags) == 0;
  ::close(fd);
  return done;
}

bool LoopDisk::come_back() {
  unmount();
  return !m_mounted && mount();
}

bool LoopDisk::set_quota(std::uint64_t bytes) const {
  // What is on it already counts: the rescan adds it up.
  return runs(k_btrfs, {"quota", "enable", m_path}) &&
         runs(k_btrfs, {"quota", "rescan", "-w", m_path}) &&
         runs(k_btrfs, {"qgroup", "limit", std::to_string(bytes), m_path});
}

bool LoopDisk::lift_quota() const {
  return runs(k_btrfs, {"qgroup", "limit", "none", m_path});
}

bool LoopDisk::can_make(const std::string& kind) {
  return ::access(mkfs_of(kind).c_str(), X_OK) == 0;
}

} // namespace rb::test

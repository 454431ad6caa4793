#include "base/modes.hpp"

#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

namespace rb {

namespace {

constexpr unsigned k_permissions = 07777;
constexpr unsigned k_of_others = 077;

constexpr std::string_view k_masks = "uid=0,gid=0,umask=0077";
constexpr std::string_view k_smb = "uid=0,gid=0,forceuid,forcegid,file_mode=0700,dir_mode=0700";

struct FileSystem {
  unsigned long type; ///< As the kernel and its drivers name it.
  std::string_view name;
  std::string_view options;
};

constexpr std::array<FileSystem, 7> k_without_modes{{{0x2011BAB0, "exFAT", k_masks},
                                                     {0x4D44, "FAT", k_masks},
                                                     {0x5346544E, "NTFS", k_masks},
                                                     {0x7366746E, "NTFS", k_masks},
                                                     {0xFF534D42, "SMB", k_smb},
                                                     {0xFE534D42, "SMB", k_smb},
                                                     {0x517B, "SMB", k_smb}}};

} // namespace

std::string mount_options_for(unsigned long file_system_type) {
  const auto* const found = std::ranges::find(k_without_modes, file_system_type, &FileSystem::type);
  return found == k_without_modes.end() ? std::string() : std::string(found->options);
}

std::string mode_hint(const Fd& fd, const std::string& otherwise) {
  struct statfs status {};
  if (::fstatfs(fd.get(), &status) != 0) {
    return otherwise;
  }
  const auto type = static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFUL;
  const auto* const found = std::ranges::find(k_without_modes, type, &FileSystem::type);
  return found == k_without_modes.end()
             ? otherwise
             : std::string(found->name) + " has no owners and modes of its own: mount it with -o " +
                   std::string(found->options);
}

Status give_mode(const Fd& fd, unsigned mode, const std::string& path) {
  if (::fchmod(fd.get(), mode & k_permissions) == 0) {
    return {};
  }
  const int cause = errno;
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  const bool refused = cause == EPERM || cause == EOPNOTSUPP || cause == EINVAL;
  if (refused && (status.st_mode & k_of_others & ~mode) == 0) {
    return {};
  }
  Error error = system_error(cause, path + ": chmod");
  error.hint = mode_hint(fd, error.hint);
  return error;
}

} // namespace rb

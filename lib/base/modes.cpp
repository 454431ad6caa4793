#include "base/modes.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <sstream>
#include <utility>

namespace rb {

namespace {

constexpr unsigned k_permissions = 07777;
constexpr unsigned k_of_others = 077;
constexpr std::size_t k_mountinfo_limit_bytes = 4U << 20U;

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

constexpr unsigned long k_nfs = 0x6969;
constexpr unsigned long k_zfs = 0x2FC12FC1;
constexpr unsigned long k_fuse = 0x65735546; ///< ntfs-3g among others.

unsigned long type_of(const Fd& fd) {
  struct statfs status {};
  return ::fstatfs(fd.get(), &status) == 0
             ? static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFUL
             : 0;
}

std::string device_of(const struct stat& status) {
  return std::to_string(major(status.st_dev)) + ":" + std::to_string(minor(status.st_dev));
}

/// The options of the file system in a line of mountinfo, which stand last; empty: it is of another
/// device.
std::string options_of(const std::string& line, std::string_view device) {
  std::istringstream words(line);
  std::string id;
  std::string parent;
  std::string of;
  words >> id >> parent >> of;
  const std::size_t last = line.rfind(' ');
  return of == device && last != std::string::npos ? "," + line.substr(last + 1) + ","
                                                   : std::string();
}

std::string octal(unsigned mode) {
  std::array<char, 16> text{};
  static_cast<void>(std::snprintf(text.data(), text.size(), "%04o", mode));
  return text.data();
}

} // namespace

std::string mount_options_for(unsigned long file_system_type) {
  const auto* const found = std::ranges::find(k_without_modes, file_system_type, &FileSystem::type);
  return found == k_without_modes.end() ? std::string() : std::string(found->options);
}

std::string mode_hint(unsigned long file_system_type, const std::string& otherwise) {
  if (file_system_type == k_nfs) {
    return "the NFS server takes root for another user (root_squash, or all users mapped to one): "
           "export the directory to this host with no_root_squash (\"no mapping\"), and let it "
           "belong to root";
  }
  const auto* const found = std::ranges::find(k_without_modes, file_system_type, &FileSystem::type);
  return found == k_without_modes.end()
             ? otherwise
             : std::string(found->name) + " has no owners and modes of its own: mount it with -o " +
                   std::string(found->options);
}

std::string mode_hint(const Fd& fd, const std::string& otherwise) {
  return mode_hint(type_of(fd), otherwise);
}

std::string chmod_hint(unsigned long file_system_type, bool is_own, const std::string& otherwise) {
  if (is_own && (file_system_type == k_zfs || file_system_type == k_nfs)) {
    return "an ACL of the data set forbids it: zfs set aclmode=discard (TrueNAS: ACL Mode, which "
           "is "
           "Restricted in the preset for SMB), or give the backups a data set without NFSv4 ACLs "
           "(TrueNAS: preset Generic)";
  }
  if (file_system_type == k_fuse) {
    return "mount it with -o uid=0,gid=0,umask=0077, or without allow_other";
  }
  return mode_hint(file_system_type, otherwise);
}

bool has_masked_modes(unsigned long file_system_type,
                      std::string_view mountinfo,
                      std::string_view device) {
  if (file_system_type != k_fuse) {
    return !mount_options_for(file_system_type).empty();
  }
  std::istringstream lines{std::string(mountinfo)};
  for (std::string line; std::getline(lines, line);) {
    if (options_of(line, device).find(",allow_other,") != std::string::npos) {
      return true;
    }
  }
  return false;
}

Status judge_mode(const ModeGiven& given, unsigned wanted, const std::string& path) {
  const bool is_open = (given.mode & k_of_others & ~wanted) != 0;
  if (given.cause == 0) {
    return is_open && given.is_masked
               ? Status(Error{ErrorCode::permission_denied,
                              path + ": its mode stays " + octal(given.mode) +
                                  ", so that others get in",
                              {}})
               : Status();
  }
  const bool refused = given.cause == EPERM || given.cause == EOPNOTSUPP || given.cause == EINVAL;
  return refused && !is_open ? Status() : Status(system_error(given.cause, path + ": chmod"));
}

Status give_mode(const Fd& fd, unsigned mode, const std::string& path) {
  ModeGiven given;
  given.cause = ::fchmod(fd.get(), mode & k_permissions) == 0 ? 0 : errno;
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) {
    return system_error(errno, path + ": stat");
  }
  given.mode = status.st_mode & k_permissions;
  const unsigned long type = type_of(fd);
  if (given.cause == 0 && given.mode != (mode & k_permissions)) {
    auto mounts = type == k_fuse ? read_text_file("/proc/self/mountinfo", k_mountinfo_limit_bytes)
                                 : Result<std::string>(std::string());
    given.is_masked = has_masked_modes(type, std::move(mounts).value_or({}), device_of(status));
  }
  Status judged = judge_mode(given, mode, path);
  if (!judged) {
    judged.error().hint = chmod_hint(type, status.st_uid == ::geteuid(), judged.error().hint);
  }
  return judged;
}

std::string refused_root_hint(unsigned long file_system_type) {
  if (file_system_type == k_fuse) {
    return "it is mounted for the user alone who mounted it (FUSE): mount it as root, or with -o "
           "allow_root";
  }
  return file_system_type == k_nfs ? mode_hint(file_system_type, {}) : std::string();
}

Error with_refused_root_hint(Error error, const std::string& path) {
  if (error.code != ErrorCode::permission_denied || !error.hint.empty() || ::geteuid() != 0) {
    return error;
  }
  struct statfs status {};
  std::string at = path;
  while (::statfs(at.c_str(), &status) != 0) {
    const std::size_t slash = at.rfind('/');
    if (slash == std::string::npos || slash == 0) {
      return error;
    }
    at.resize(slash);
  }
  error.hint = refused_root_hint(static_cast<unsigned long>(status.f_type) & 0xFFFFFFFFUL);
  return error;
}

} // namespace rb

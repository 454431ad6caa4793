// Modes where the file system has none of its own (exFAT, FAT, NTFS, SMB): there the mount options
// say who may read. Private to this room.
#pragma once

#include "base/fd.hpp"

#include <string>

namespace rb {

/// fchmod(2); where that is refused, what the mount options gave is taken as long as it lets nobody
/// but the owner in. Errors: permission_denied (others could read it; the hint names the mount
/// options that help), those of the system.
[[nodiscard]] Status give_mode(const Fd& fd, unsigned mode, const std::string& path);

/// The options that make a file system of this type (`f_type` of statfs(2)) fit for backups; empty
/// for one that has owners and modes.
[[nodiscard]] std::string mount_options_for(unsigned long file_system_type);

/// The same as a hint, for the file system on which `fd` is; else `otherwise`.
[[nodiscard]] std::string mode_hint(const Fd& fd, const std::string& otherwise);

} // namespace rb

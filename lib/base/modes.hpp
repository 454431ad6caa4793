// Who may read a file, also where its file system has no modes of its own (exFAT, FAT, NTFS, SMB):
// there the mount options say it.
#pragma once

#include "base/error.hpp"
#include "base/fd.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace rb {

/// fchmod(2); where that is refused, or said to be done and is not, what the mount options gave is
/// taken as long as it lets nobody but the owner in. Errors: permission_denied (others could read
/// it; the hint names the mount options that help), those of the system.
[[nodiscard]] Status give_mode(const Fd& fd, unsigned mode, const std::string& path);

/// What became of a chmod(2).
struct ModeGiven {
  int cause = 0;          ///< Its errno; 0: it says that it is done.
  unsigned mode = 0;      ///< The permissions afterwards.
  bool is_masked = false; ///< The mode is one of mount options, which lets others in as it says.
};

/// The decision of give_mode(). FAT, exFAT and SMB answer that all is well and change nothing, and
/// so does ntfs-3g. Pure; the errors have no hint.
[[nodiscard]] Status judge_mode(const ModeGiven& given, unsigned wanted, const std::string& path);

/// Whether a mode that stays as it is says who gets in, on a file system of this type (`f_type` of
/// statfs(2)). What FUSE shows counts where others are let in at all: `allow_other` among the
/// options that `mountinfo` (/proc/self/mountinfo) has for its `device` ("8:17"). Pure.
[[nodiscard]] bool has_masked_modes(unsigned long file_system_type,
                                    std::string_view mountinfo,
                                    std::string_view device);

/// The options that make a file system of this type fit for backups; empty for one that has owners
/// and modes.
[[nodiscard]] std::string mount_options_for(unsigned long file_system_type);

/// What helps where a file system of this type refuses an owner or a mode: the options above, or of
/// NFS the export; else `otherwise`.
[[nodiscard]] std::string mode_hint(unsigned long file_system_type, const std::string& otherwise);

/// The same for the file system on which `fd` is.
[[nodiscard]] std::string mode_hint(const Fd& fd, const std::string& otherwise);

/// What helps where chmod(2) is refused, of a file that is our own or not: who is not squashed by
/// an NFS server, and may not change the mode of what is theirs, has met an ACL of the server.
/// Pure.
[[nodiscard]] std::string
chmod_hint(unsigned long file_system_type, bool is_own, const std::string& otherwise);

// What root may not do: on file systems whose server or program decides who it is.

/// What helps where a file system of this type refuses root what an owner may: of NFS the export,
/// of FUSE the mount; else empty.
[[nodiscard]] std::string refused_root_hint(unsigned long file_system_type);

/// Adds that to an error of `path`, or of what is above it, that has no hint and says that it is
/// not permitted, where it is root to whom it is said.
[[nodiscard]] Error with_refused_root_hint(Error error, const std::string& path);

} // namespace rb

// Whether the backup directory lies on the disk that the operator means. Where a disk is not
// mounted, its mount point is an ordinary directory of the system's disk: a set that went there
// would be one that nobody finds, on the disk that is lost with the machine.
#pragma once

#include "agent/host/settings.hpp"
#include "set/directory.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::agent {

/// In the backup directory: which disk this is. In Settings::key_dir: which disks are known.
inline constexpr std::string_view k_disk_id_name = ".disk-id";
inline constexpr std::string_view k_known_disks_name = "backup-disks";
/// In the backup directory, made by the operator: this disk is to be used, too.
inline constexpr std::string_view k_new_disk_name = ".new-disk";

/// Settings::backup_mount.
inline constexpr std::string_view k_mount_automatic = "auto";
inline constexpr std::string_view k_mount_none = "none";

/// The mount points that a fstab(5) names, but for "/" and what is mounted of the same device: the
/// subvolumes of a system on btrfs are the disk of the system, and so is a bind mount of what is on
/// none of the others. Pure.
[[nodiscard]] std::vector<std::string> mount_points_of_fstab(std::string_view text);

/// Where something is mounted, by mountinfo as in proc(5). Pure.
[[nodiscard]] std::vector<std::string> mount_points_of_mountinfo(std::string_view text);

/// `Where=` of a systemd.mount(5) unit; empty where there is none. Pure.
[[nodiscard]] std::string mount_point_of_unit(std::string_view text);

/// The mount point on which `directory` has to lie; empty: on any. `setting` is a path, or "none",
/// or "auto": the longest of `declared` that leads to it, else, by convention, a directory in /mnt,
/// /media or /run/media. Pure.
[[nodiscard]] std::string expected_mount(const std::string& directory,
                                         const std::string& setting,
                                         const std::vector<std::string>& declared);

/// `directory` (which need not be there yet) lies on another file system than that on which its
/// whole path is. `mountinfo` as in proc(5): of a container, too, whose mounts are parts of the
/// host's. What is on another device than `etc_dir`, where the host's /etc is seen, is not on the
/// disk of the system, whatever its path there is (a bind mount of DISK/backup at /backup). Pure.
[[nodiscard]] bool is_mounted(std::string_view mountinfo,
                              const std::string& directory,
                              const std::string& etc_dir = "/etc");

using OpenDirectory = std::function<Result<set::Directory>(const std::string& path)>;

/// Opens the backup directory for writing, by `open`. Before anything is made there: it is where it
/// has to be; and it is a disk that was written to before, the first one of this path, or one
/// with k_new_disk_name. Errors: unavailable (it is not; nothing was written), those of `open` and
/// Fs.
[[nodiscard]] Result<set::Directory> open_backup_directory(const Settings& settings,
                                                           const OpenDirectory& open);

/// An agent that meets `error` at its directory can take orders all the same: another run has it,
/// or the disk is not the one that is meant, which the run then says (StorageNotMounted) where "no
/// ready agent" would hide it. Pure.
[[nodiscard]] bool takes_orders_despite(const Error& error);

} // namespace rb::agent

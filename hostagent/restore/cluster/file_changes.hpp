// The few ways in which a restore changes files of the host: each in one step, and durable.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <string>
#include <vector>

namespace rb::cluster {

/// Makes `path` and what is missing above it; the mode is that of those that are made, whatever the
/// umask is. Errors: those of the system.
[[nodiscard]] Status make_directories(const std::string& path, unsigned mode);

/// Replaces `path` by a new file with this content and mode, synced, never through a link. Errors:
/// no_space, io, …
[[nodiscard]] Status write_file(const std::string& path, ByteView content, unsigned mode);

/// write_file(), but a file that nobody may write to, or that is mounted there, will do where it
/// has this content already (a configuration that the host's own tools keep read-only). Errors:
/// those of write_file().
[[nodiscard]] Status put_file(const std::string& path, ByteView content, unsigned mode);

/// What write_file() has put at `path`, or a kill has left of it beside that; nothing where nothing
/// is there. Errors: those of the system.
[[nodiscard]] Status remove_written(const std::string& path);

/// A regular file of up to 64 MiB, with mode and owner. Errors: not_found, unsupported.
[[nodiscard]] Status copy_file(const std::string& from, const std::string& to);

/// Regular files, links and directories below `from`; `to` is replaced, of a mount point what is in
/// it. Other kinds are left out. `from` may be a file. Errors: not_found, those of the system.
[[nodiscard]] Status copy_tree(const std::string& from, const std::string& to);

/// copy_tree() in the way of put_file().
[[nodiscard]] Status put_copy(const std::string& from, const std::string& to);

/// Syncs the directories of both. Errors: those of rename(2).
[[nodiscard]] Status move_path(const std::string& from, const std::string& to);

/// A second name of a file, durably; where the file system has none, a copy. Errors: those of
/// link(2), no_space.
[[nodiscard]] Status link_path(const std::string& from, const std::string& to);

/// Whole or not at all, durably, with mode 0600; of any size. Errors: no_space, those of the
/// system.
[[nodiscard]] Status copy_large(const std::string& from, const std::string& to);

/// All below it, too; nothing where it is not there. A directory that is a mount point stays, and
/// is empty. Errors: those of the system.
[[nodiscard]] Status remove_path(const std::string& path);

/// The link itself, for a link.
[[nodiscard]] bool exists(const std::string& path);

/// A directory; not a link to one.
[[nodiscard]] bool is_directory(const std::string& path);

/// Something is mounted there, so that it cannot be renamed: a bind mount of the same disk, too; a
/// subvolume of btrfs is none, and a link is what it is itself.
[[nodiscard]] bool is_mount_point(const std::string& path);

/// `path` itself, and what is below it, that is a mount point; below a link nothing is looked for.
[[nodiscard]] std::vector<std::string> mount_points_in(const std::string& path);

/// Names in `directory` that begin with `prefix`, sorted; none where it is not there.
[[nodiscard]] std::vector<std::string> names_in(const std::string& directory,
                                                const std::string& prefix);

} // namespace rb::cluster

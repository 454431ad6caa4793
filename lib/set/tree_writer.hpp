// Writes entries below a directory, and nowhere else: every step goes from a descriptor to a single
// name, no link is followed, and nothing is written while anything speaks against it.
#pragma once

#include "archive/tar_gz.hpp"

#include <span>
#include <string>

namespace rb::set {

/// Writes `entries` below `directory`, which is made (0700) when missing; its parent must be there.
/// Directories are made with 0700, files get mode and time of their entry, no owner but ours. Each
/// file has its name only when it is whole; all of it is on the medium afterwards.
/// Without `replace`, nothing is written if one of the files is there; with it, regular files are
/// replaced, everything else is refused.
/// Errors: corrupt (paths that contradict each other or lead out), already_exists, unsupported (a
/// link or another special file in the way), those of the system.
[[nodiscard]] Status
write_tree(const std::string& directory, std::span<const archive::Entry> entries, bool replace);

} // namespace rb::set

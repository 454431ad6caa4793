// What root may not do: on file systems whose server or program decides who it is.
#pragma once

#include "base/error.hpp"

#include <string>

namespace rb {

/// What helps where a file system of this type refuses root what an owner may: of NFS the export,
/// of FUSE the mount; else empty.
[[nodiscard]] std::string refused_root_hint(unsigned long file_system_type);

/// Adds that to an error of `path`, or of what is above it, that has no hint and says that it is
/// not permitted, where it is root to whom it is said.
[[nodiscard]] Error with_refused_root_hint(Error error, const std::string& path);

} // namespace rb

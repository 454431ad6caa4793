// How much room a file system says it has. Pure.
#pragma once

#include "base/fs.hpp"

#include <sys/statvfs.h>

namespace rb {

/// Of statvfs(2). File systems without a size of their own name one that no 64 bits hold (s3fs, 16
/// EiB), or the largest that they do (Amazon EFS, 8 EiB): never more than fits a signed number.
[[nodiscard]] Space space_of(const struct statvfs& status);

} // namespace rb

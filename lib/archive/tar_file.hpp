// The small files of a tar archive on disk: what an archive of an image says of itself. What is
// large is passed over and takes no memory.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace rb::archive {

struct SmallFileLimits {
  std::size_t max_file_bytes = std::size_t{1} << 20U; ///< Larger ones are passed over.
  std::size_t max_total_bytes = std::size_t{16} << 20U;
  std::size_t max_entries = 10'000;
};

/// By their paths; of files with the same path the last. The archive is read to its end, so one
/// that was cut off is found. Not packed: gzip and others are no tar. Errors: not_found,
/// permission_denied, io; corrupt (not a tar archive, damaged, truncated); unsupported (a limit).
[[nodiscard]] Result<std::map<std::string, std::string>>
read_small_files(const std::string& path, const SmallFileLimits& limits = {});

} // namespace rb::archive

// One header of a tar, for archives that are too large to be made in memory.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <string>

namespace rb::archive {

/// Each file is padded with zeros to a multiple of that, and two records of zeros end the archive.
inline constexpr std::size_t k_tar_record_bytes = 512;

/// Of a regular file, mode 0644, of root, dated 1970, so that equal files give equal archives.
/// `path` has at most 100 bytes, `size_bytes` is below 8 GiB.
[[nodiscard]] Bytes tar_header(const std::string& path, std::uint64_t size_bytes);

} // namespace rb::archive

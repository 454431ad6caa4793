// tar.gz in memory: regular files only, written so that equal entries give equal bytes, read (with
// libarchive and zlib) under limits. Stock `tar xzf` reads what is written here.
#pragma once

#include "archive/gzip.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/secret_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rb::archive {

struct Entry {
  std::string path; ///< As check_entry_path() allows.
  SecretBytes content;
  unsigned mode = 0600; ///< Permission bits, at most 0777.
  SystemTime mtime{};   ///< Not before 1970.
};

struct Limits {
  std::size_t max_entries = 100'000;
  std::size_t max_entry_bytes = std::size_t{64} << 20U;
  /// Of the tar as a whole. Its size alone: files that compress well are no sign of anything.
  GzipLimits gzip{.max_ratio = k_deflate_ratio};
};

/// In the order given; owner 0:0 without names. Errors: invalid_argument (path, mode, time),
/// already_exists (a path given twice, or one that is the directory of another), internal.
[[nodiscard]] Result<SecretBytes> write_tar_gz(std::span<const Entry> entries);

/// In the order of the archive; directories are checked and left out. Nothing is written to disk.
/// Errors: corrupt (damaged, truncated, a path given twice), invalid_argument (a path that
/// check_entry_path() refuses), unsupported (link, device, fifo, sparse file, beyond a limit).
[[nodiscard]] Result<std::vector<Entry>> read_tar_gz(ByteView bytes, const Limits& limits = {});

/// Each file is padded with zeros to a multiple of that, and two records of zeros end the archive.
inline constexpr std::size_t k_tar_record_bytes = 512;

/// One header, for an archive that is too large to be made in memory: of a regular file, mode 0644,
/// of root, dated 1970, so that equal files give equal archives. `path` has at most 100 bytes,
/// `size_bytes` is below 8 GiB.
[[nodiscard]] Bytes tar_header(const std::string& path, std::uint64_t size_bytes);

} // namespace rb::archive

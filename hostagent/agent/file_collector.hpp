// Reads files of the host into memory, within bounds, and says what it left out.
#pragma once

#include "archive/tar_gz.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace rb::agent {

struct CollectLimits {
  std::size_t file_bytes = std::size_t{4} << 20U;
  std::size_t total_bytes = std::size_t{48} << 20U;
  std::size_t files = 5000;
  unsigned depth = 8; ///< Directories below the one that was named.
};

struct SkippedFile {
  std::string path; ///< In the archive.
  std::string why;
};

/// Collects entries whose archive path is the path on the host without its first '/'.
/// What is there and cannot be taken is noted in skipped(); what is not there is not.
class FileCollector {
public:
  explicit FileCollector(CollectLimits limits = {}) : m_limits(limits) {}

  /// One regular file, by open_regular (a link counts that only root can have made), stored as
  /// `archive_path`. True when it was taken.
  bool add_file(const std::string& path, const std::string& archive_path);

  /// All regular files below `path`, in the order of their names; links to directories are not
  /// followed, leftovers (*.part, *~) are taken like the rest.
  void add_tree(const std::string& path, const std::string& archive_path);

  /// The regular files in `path` whose names begin with `prefix`, and the trees of directories
  /// that do.
  void
  add_matching(const std::string& path, const std::string& prefix, const std::string& archive_path);

  [[nodiscard]] std::vector<archive::Entry>& entries() { return m_entries; }
  [[nodiscard]] const std::vector<SkippedFile>& skipped() const { return m_skipped; }

private:
  void add_below(const std::string& path, const std::string& archive_path, unsigned depth);
  void skip(const std::string& archive_path, std::string why);

  CollectLimits m_limits;
  std::size_t m_total_bytes = 0;
  std::vector<archive::Entry> m_entries;
  std::vector<SkippedFile> m_skipped;
};

} // namespace rb::agent

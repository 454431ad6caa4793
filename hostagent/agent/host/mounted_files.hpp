// The host's files as they are seen from here: a container has some of its directories, and not
// all at the paths that they have on the host. A collector reads them into memory, within bounds,
// and says what it left out.
#pragma once

#include "agent/host/settings.hpp"
#include "k3s/host_files.hpp"
#include "set/host_state.hpp"

#include "archive/tar_gz.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace rb::agent {

class MountedFiles final : public k3s::HostFiles {
public:
  explicit MountedFiles(const Settings& settings);

  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;
  [[nodiscard]] bool hides(const std::string& path) const override { return is_of_the_image(path); }

  /// Where the file of the host is seen here, its links followed as the host follows them. A link
  /// counts only where nobody but root can have made it; else the path ends at the link.
  [[nodiscard]] std::string seen_as(const std::string& path) const;

private:
  struct Mount {
    std::string there; ///< "/etc"
    std::string here;  ///< "/host/etc"
  };
  [[nodiscard]] std::string mounted(const std::string& path) const;
  /// The container's own, of its image: nothing there says anything of the host.
  [[nodiscard]] bool is_of_the_image(const std::string& path) const;

  bool m_in_container;         ///< The host's /etc is seen elsewhere.
  std::vector<Mount> m_mounts; ///< The deepest first.
  /// Below the image's directories, what is mounted: the host's (agent.extraHostPaths, k3s's own).
  std::vector<std::string> m_of_the_host;
};

struct CollectLimits {
  /// Manifests of a whole product are that large (prometheus-operator's bundle has 4.6 MB).
  std::size_t file_bytes = std::size_t{16} << 20U;
  std::size_t total_bytes = std::size_t{48} << 20U;
  std::size_t files = 5000;
  unsigned depth = 8; ///< Directories below the one that was named.
};

using set::SkippedFile;

/// Where a path of the host is seen here, its links followed.
using Resolve = std::function<std::string(const std::string& host_path)>;

/// Collects entries whose archive path is the path on the host without its first '/'.
/// What is there and cannot be taken is noted in skipped(); what is not there is not, but a link
/// that leads nowhere is. An entry is taken once.
class FileCollector {
public:
  /// With `resolve`, what lies at an archive path is read where that says; links to directories are
  /// followed then. Without it, they are noted as left out.
  explicit FileCollector(CollectLimits limits = {}, Resolve resolve = {})
      : m_limits(limits), m_resolve(std::move(resolve)) {}

  /// One regular file, by open_regular (a link counts that only root can have made), stored as
  /// `archive_path`. True when it was taken.
  bool add_file(const std::string& path, const std::string& archive_path);

  /// All regular files below `path`, in the order of their names; leftovers (*.part, *~) are taken
  /// like the rest.
  void add_tree(const std::string& path, const std::string& archive_path);

  /// The regular files in `path` whose names begin with `prefix`, and the trees of directories
  /// that do.
  void
  add_matching(const std::string& path, const std::string& prefix, const std::string& archive_path);

  /// Notes that something was left out.
  void skip(const std::string& archive_path, std::string why);

  [[nodiscard]] bool has(const std::string& archive_path) const;
  [[nodiscard]] std::vector<archive::Entry>& entries() { return m_entries; }
  /// The first ones.
  [[nodiscard]] const std::vector<SkippedFile>& skipped() const { return m_skipped; }
  [[nodiscard]] std::size_t skipped_in_all() const { return m_skipped_in_all; }

private:
  void add_below(const std::string& path, const std::string& archive_path, unsigned depth);
  void add_entry(const std::string& path, const std::string& archive_path, unsigned depth);
  [[nodiscard]] std::string seen(const std::string& path, const std::string& archive_path) const;

  CollectLimits m_limits;
  Resolve m_resolve;
  std::size_t m_total_bytes = 0;
  std::vector<archive::Entry> m_entries;
  std::vector<SkippedFile> m_skipped;
  std::size_t m_skipped_in_all = 0;
};

} // namespace rb::agent

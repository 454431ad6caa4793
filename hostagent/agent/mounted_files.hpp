// The host's files as they are seen from here: a container has some of its directories, and not
// all at the paths that they have on the host.
#pragma once

#include "agent/settings.hpp"
#include "k3s/host_files.hpp"

#include <string>
#include <vector>

namespace rb::agent {

class MountedFiles final : public k3s::HostFiles {
public:
  explicit MountedFiles(const Settings& settings);

  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

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
};

} // namespace rb::agent

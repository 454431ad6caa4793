// The files of a host, by their absolute paths there: on its disk, or as a host state has them.
#pragma once

#include "base/port.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::k3s {

/// The port through which settings are read.
class HostFiles : public Port {
public:
  /// Up to 1 MiB; nothing where it is not there or cannot be read.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path) const = 0;
  /// Names of the files and directories in a directory, sorted.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& directory) const = 0;
  /// What the host has at that path cannot be seen: a container has its image's own there.
  [[nodiscard]] virtual bool hides(const std::string& /*path*/) const { return false; }
};

/// Those of this host's disk; `root` stands before every path.
class DiskFiles final : public HostFiles {
public:
  explicit DiskFiles(std::string root = {}) : m_root(std::move(root)) {}
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

private:
  std::string m_root;
};

} // namespace rb::k3s

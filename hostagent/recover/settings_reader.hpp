// Reads the settings of a k3s server off a host, or off the files of a host state.
#pragma once

#include "recover/facts.hpp"
#include "unpack/host_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::recover {

/// Files by their absolute paths on the host.
class FileView {
public:
  FileView() = default;
  virtual ~FileView() = default;
  FileView(const FileView&) = delete;
  FileView& operator=(const FileView&) = delete;
  FileView(FileView&&) = delete;
  FileView& operator=(FileView&&) = delete;

  /// Up to 1 MiB; nothing where it is not there or cannot be read.
  [[nodiscard]] virtual std::optional<std::string> read(const std::string& path) const = 0;
  /// Names of the files in a directory, sorted.
  [[nodiscard]] virtual std::vector<std::string> list(const std::string& directory) const = 0;
};

class DiskView final : public FileView {
public:
  explicit DiskView(std::string root = {}) : m_root(std::move(root)) {}
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

private:
  std::string m_root;
};

class HostStateView final : public FileView {
public:
  explicit HostStateView(const unpack::HostState& state) : m_state(state) {}
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

private:
  const unpack::HostState& m_state;
};

struct ReadSettings {
  ServerSettings settings; ///< Without any token: those are hashes only.
  std::vector<ConfiguredToken> tokens;
  std::string systemd_unit;   ///< "k3s"; empty: none starts a server.
  std::string openrc_service; ///< The same for OpenRC.
  std::string problem;        ///< A file that k3s could not read, either.
};

[[nodiscard]] ReadSettings read_settings(const FileView& files);

} // namespace rb::recover

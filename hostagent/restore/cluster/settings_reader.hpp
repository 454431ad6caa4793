// Reads the settings of a k3s server off a host, or off the files of a host state.
#pragma once

#include "k3s/host_settings.hpp"
#include "restore/cluster/facts.hpp"
#include "set/host_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::cluster {

using FileView = k3s::HostFiles;

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
  explicit HostStateView(const set::HostState& state) : m_state(state) {}
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

  [[nodiscard]] const set::HostState& state() const { return m_state; }

private:
  const set::HostState& m_state;
};

struct ReadSettings {
  ServerSettings settings; ///< Without any token: those are hashes only.
  std::vector<ConfiguredToken> tokens;
  std::string systemd_unit;       ///< "k3s"; empty: none starts a server.
  std::string openrc_service;     ///< The same for OpenRC.
  std::vector<std::string> files; ///< That were read, by their absolute paths.
  std::string problem;            ///< A file that k3s could not read, either.
};

/// Of a host state, what the Node said is in it.
[[nodiscard]] ReadSettings read_settings(const HostStateView& files);

/// As k3s::read_host_settings; of tokens only the hash stays.
[[nodiscard]] ReadSettings read_settings(const FileView& files,
                                         const k3s::NodeArguments& node = {});

} // namespace rb::cluster

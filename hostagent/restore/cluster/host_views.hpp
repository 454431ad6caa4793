// The files of a host state for k3s::read_host_settings().
#pragma once

#include "k3s/host_settings.hpp"
#include "set/host_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::cluster {

class HostStateView final : public k3s::HostFiles {
public:
  explicit HostStateView(const set::HostState& state) : m_state(state) {}
  [[nodiscard]] std::optional<std::string> read(const std::string& path) const override;
  [[nodiscard]] std::vector<std::string> list(const std::string& directory) const override;

  [[nodiscard]] const set::HostState& state() const { return m_state; }

private:
  const set::HostState& m_state;
};

/// What the Node said is in it.
[[nodiscard]] k3s::HostSettings read_settings(const HostStateView& files);

} // namespace rb::cluster

#include "restore/cluster/host_views.hpp"

#include "k3s/token.hpp"

#include <algorithm>

namespace rb::cluster {

std::optional<std::string> HostStateView::read(const std::string& path) const {
  const archive::Entry* const entry = m_state.find(path);
  return entry == nullptr ? std::nullopt : std::optional(std::string(entry->content.text()));
}

std::vector<std::string> HostStateView::list(const std::string& directory) const {
  const std::string prefix = directory.substr(1) + "/";
  std::vector<std::string> names;
  for (const archive::Entry& entry : m_state.files) {
    if (entry.path.starts_with(prefix)) {
      const std::string rest = entry.path.substr(prefix.size());
      names.push_back(rest.substr(0, rest.find('/')));
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

k3s::HostSettings read_settings(const HostStateView& files) {
  return k3s::read_host_settings(files, files.state().node);
}

} // namespace rb::cluster

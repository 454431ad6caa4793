#include "restore/cluster/host_views.hpp"

#include "k3s/token.hpp"
#include "restore/cluster/file_changes.hpp"

#include "base/open_beneath.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;

} // namespace

std::optional<std::string> DiskView::read(const std::string& path) const {
  auto text = read_regular_text(m_root + path, k_limit_bytes);
  return text ? std::optional<std::string>(std::move(*text)) : std::nullopt;
}

std::vector<std::string> DiskView::list(const std::string& directory) const {
  return names_in(m_root + directory, "");
}

std::optional<std::string> HostStateView::read(const std::string& path) const {
  const archive::Entry* const entry = m_state.find(path);
  return entry == nullptr ? std::nullopt : std::optional(std::string(entry->content.text()));
}

std::vector<std::string> HostStateView::list(const std::string& directory) const {
  const std::string prefix = directory.substr(1) + "/";
  std::vector<std::string> names;
  for (const archive::Entry& entry : m_state.files) {
    if (entry.path.starts_with(prefix) &&
        entry.path.find('/', prefix.size()) == std::string::npos) {
      names.push_back(entry.path.substr(prefix.size()));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

k3s::HostSettings read_settings(const HostStateView& files) {
  return k3s::read_host_settings(files, files.state().node);
}

} // namespace rb::cluster

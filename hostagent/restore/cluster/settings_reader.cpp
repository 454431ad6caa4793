#include "restore/cluster/settings_reader.hpp"

#include "k3s/token_hash.hpp"
#include "restore/cluster/host_files.hpp"

#include "base/open_beneath.hpp"

#include <algorithm>

namespace rb::cluster {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;
/// A token file may be server/token itself: that is no second opinion, and on a bare host not there
/// yet.
bool is_own(const std::string& path) {
  return path.ends_with("/server/token");
}

void take_tokens(const FileView& files, k3s::HostSettings& from, ReadSettings& read) {
  for (const k3s::SecretSetting& secret : from.secrets) {
    if (secret.flag == "token") {
      read.tokens.push_back({secret.place + ": token", k3s::token_hash(secret.value.text())});
    }
  }
  for (const k3s::Setting& setting : from.settings.of("token-file")) {
    if (!setting.value.empty() && !is_own(setting.value)) {
      const auto text = files.read(setting.value);
      read.tokens.push_back({setting.place + ": token-file " + setting.value,
                             text ? k3s::token_hash(*text) : std::string()});
    }
  }
}

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

ReadSettings read_settings(const HostStateView& files) {
  return read_settings(static_cast<const FileView&>(files), files.state().node);
}

ReadSettings read_settings(const FileView& files, const k3s::NodeArguments& node) {
  k3s::HostSettings from = k3s::read_host_settings(files, node);
  ReadSettings read;
  take_tokens(files, from, read);
  read.settings = std::move(from.settings);
  read.systemd_unit = std::move(from.systemd_unit);
  read.openrc_service = std::move(from.openrc_service);
  read.files = std::move(from.files);
  read.problem = std::move(from.problem);
  return read;
}

} // namespace rb::cluster

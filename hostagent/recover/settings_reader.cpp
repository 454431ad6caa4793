#include "recover/settings_reader.hpp"

#include "recover/host_files.hpp"

#include "base/open_beneath.hpp"
#include "etcdsnap/token_hash.hpp"

#include <algorithm>

namespace rb::recover {

namespace {

constexpr std::size_t k_limit_bytes = std::size_t{1} << 20U;
constexpr const char* k_config = "/etc/rancher/k3s/config.yaml";

void read_units(const FileView& files, ReadSettings& read) {
  const std::string systemd = "/etc/systemd/system";
  for (const std::string& name : files.list(systemd)) {
    if (!read.systemd_unit.empty() || !name.starts_with("k3s") || !name.ends_with(".service")) {
      continue;
    }
    const auto text = files.read(systemd + "/" + name);
    if (text && starts_server(*text)) {
      read.systemd_unit = name.substr(0, name.size() - std::string_view(".service").size());
      read.settings.unit = flags_of_unit(*text);
    }
  }
  for (const std::string& name : files.list("/etc/init.d")) {
    if (!read.openrc_service.empty() || !name.starts_with("k3s")) {
      continue;
    }
    const auto text = files.read("/etc/init.d/" + name);
    if (text && starts_server(*text)) {
      read.openrc_service = name;
      if (read.systemd_unit.empty()) {
        read.settings.unit = flags_of_unit(*text);
      }
    }
  }
}

void read_environment(const FileView& files, ReadSettings& read) {
  const std::string unit = read.systemd_unit.empty() ? "k3s" : read.systemd_unit;
  for (const std::string& path : {"/etc/systemd/system/" + unit + ".service.env",
                                  "/etc/default/" + unit,
                                  "/etc/sysconfig/" + unit,
                                  std::string("/etc/rancher/k3s/k3s.env")}) {
    if (const auto text = files.read(path)) {
      add_environment(read.settings.unit, *text);
    }
  }
}

void read_config(const FileView& files, ReadSettings& read) {
  const auto named = read.settings.unit.find("config");
  const std::string main =
      named == read.settings.unit.end() || named->second.empty() ? k_config : named->second.back();
  std::vector<std::string> paths{main};
  for (const std::string& name : files.list(main + ".d")) {
    if (name.ends_with(".yaml") || name.ends_with(".yml")) {
      paths.push_back(main + ".d/" + name);
    }
  }
  for (const std::string& path : paths) {
    if (const auto text = files.read(path)) {
      const Status merged = merge_config(read.settings.config, *text, path);
      if (!merged && read.problem.empty()) {
        read.problem = merged.error().message;
      }
    }
  }
}

void forget(Flags& flags, const char* flag) {
  const auto found = flags.find(flag);
  if (found != flags.end()) {
    for (std::string& value : found->second) {
      std::fill(value.begin(), value.end(), '\0');
    }
    flags.erase(found);
  }
}

/// A token file may be server/token itself: that is no second opinion, and on a bare host not there
/// yet.
bool is_own(const std::string& path) {
  return path.ends_with("/server/token");
}

void take_tokens(const FileView& files, Flags& flags, const char* where, ReadSettings& read) {
  if (const auto token = flags.find("token"); token != flags.end() && !token->second.empty()) {
    read.tokens.push_back(
        {std::string(where) + ": token", etcdsnap::token_hash(token->second.back())});
  }
  if (const auto file = flags.find("token-file"); file != flags.end() && !file->second.empty()) {
    const std::string& path = file->second.back();
    const auto text = files.read(path);
    if (!is_own(path)) {
      read.tokens.push_back({std::string(where) + ": token-file " + path,
                             text ? etcdsnap::token_hash(*text) : std::string()});
    }
  }
  for (const char* const flag : {"token", "agent-token", "datastore-endpoint-password"}) {
    forget(flags, flag);
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

ReadSettings read_settings(const FileView& files) {
  ReadSettings read;
  read_units(files, read);
  read_environment(files, read);
  read_config(files, read);
  take_tokens(files, read.settings.config, k_config, read);
  take_tokens(files, read.settings.unit, "the unit of k3s", read);
  return read;
}

} // namespace rb::recover

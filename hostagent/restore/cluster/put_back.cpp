#include "restore/cluster/put_back.hpp"

#include "k3s/credentials.hpp"
#include "k3s/host_settings.hpp"
#include "k3s/named_files.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/journal.hpp"

#include "archive/entry_path.hpp"

#include <algorithm>
#include <array>

namespace rb::cluster {

namespace {

// Certificates and credentials are not among these: the snapshot's bootstrap data holds them, and
// newer files on the disk would stop k3s.
constexpr std::array<std::string_view, 7> k_server_files{"server/token",
                                                         "server/agent-token",
                                                         "server/manifests/",
                                                         "server/static/",
                                                         "agent/pod-manifests/",
                                                         "agent/etc/containerd/config",
                                                         "agent/etc/kubelet.conf.d/"};
constexpr std::array<std::string_view, 7> k_host_files{"/etc/rancher/",
                                                       "/var/lib/railiance-backup/signing.",
                                                       "/etc/systemd/system/k3s",
                                                       "/etc/default/k3s",
                                                       "/etc/sysconfig/k3s",
                                                       "/etc/init.d/k3s",
                                                       "/etc/conf.d/k3s"};

/// Of those, what is state and no configuration.
constexpr std::array<std::string_view, 4> k_server_state{
    "server/token", "server/agent-token", "server/manifests/", "server/static/"};
constexpr std::array<std::string_view, 2> k_own_state{"/etc/rancher/node/",
                                                      "/var/lib/railiance-backup/signing."};

/// The system's own, made at its start, or not to be written to.
constexpr std::array<std::string_view, 14> k_systems{"/usr/",
                                                     "/bin/",
                                                     "/sbin/",
                                                     "/lib",
                                                     "/boot/",
                                                     "/proc/",
                                                     "/sys/",
                                                     "/dev/",
                                                     "/run/",
                                                     "/var/run/",
                                                     "/tmp/",
                                                     "/nix/",
                                                     "/gnu/",
                                                     "/snap/"};
/// In the data directory: k3s's own, which the snapshot brings; of the credentials those that k3s
/// makes.
constexpr std::array<std::string_view, 2> k_k3s{"server/db/", "data/"};
constexpr std::array<std::string_view, 2> k_credentials{"server/tls/", "server/cred/"};
constexpr std::array<std::string_view, 4> k_unit_places{"/usr/local/lib/systemd/system/",
                                                        "/usr/lib/systemd/system/",
                                                        "/lib/systemd/system/",
                                                        "/run/systemd/system/"};

template <typename Names> bool begins(std::string_view path, const Names& names) {
  return std::ranges::any_of(names, [&](std::string_view name) { return path.starts_with(name); });
}

/// A link by which systemd has one unit start with another, of which the archive has the content:
/// `systemctl enable` makes it.
bool is_link_of_units(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::string_view directory = path.substr(0, slash);
  return path.find("/systemd/system/") < slash &&
         (directory.ends_with(".wants") || directory.ends_with(".requires") ||
          directory.ends_with(".upholds"));
}

std::string as_unit_of_etc(const std::string& path) {
  for (const std::string_view place : k_unit_places) {
    if (path.starts_with(place)) {
      return "/etc/systemd/system/" + path.substr(place.size());
    }
  }
  return path;
}

/// Itself, or a directory above it.
bool holds(const std::set<std::string>& paths, const std::string& path) {
  for (std::size_t end = path.size(); end != std::string::npos && end > 0;
       end = path.rfind('/', end - 1)) {
    if (paths.contains(path.substr(0, end))) {
      return true;
    }
  }
  return false;
}

} // namespace

std::string put_back_path(const std::string& archive_path,
                          const std::string& its_data_dir,
                          const std::string& data_dir,
                          bool keep_config) {
  if (!archive::check_entry_path(archive_path)) {
    return {};
  }
  const std::string path = "/" + archive_path;
  const std::string below = its_data_dir + "/";
  if (!its_data_dir.empty() && path.starts_with(below)) {
    const std::string rest = path.substr(below.size());
    const bool fits = keep_config ? begins(rest, k_server_state) : begins(rest, k_server_files);
    return fits ? data_dir + "/" + rest : std::string();
  }
  const bool fits = keep_config ? begins(path, k_own_state)
                                : begins(path, k_host_files) && !is_link_of_units(path);
  return fits ? path : std::string();
}

Result<bool>
put_from_set(const set::HostState& state, const std::string& path, const std::string& data_dir) {
  const std::string theirs = (state.data_dir.empty() ? k_usual_data_dir : state.data_dir) + "/";
  bool any = false;
  for (const archive::Entry& entry : state.files) {
    const std::string its = "/" + entry.path;
    if (!archive::check_entry_path(entry.path) || !its.starts_with(theirs)) {
      continue;
    }
    const std::string here = data_dir + "/" + its.substr(theirs.size());
    if (here == path || here.starts_with(path + "/")) {
      RB_TRY(make_directories(here.substr(0, here.rfind('/')), 0700));
      RB_TRY(put_file(here, entry.content.view(), entry.mode));
      any = true;
    }
  }
  return any;
}

NamedBack::NamedBack(const set::HostState& state, std::string data_dir, std::string root)
    : m_state(state), m_its_data_dir(state.data_dir.empty() ? k_usual_data_dir : state.data_dir),
      m_data_dir(std::move(data_dir)), m_root(std::move(root)) {
  const set::HostStateView view(state);
  const k3s::HostSettings read = k3s::read_host_settings(view, state.node);
  m_paths.insert(read.files.begin(), read.files.end());
  m_needed = m_paths;
  m_settings = read.settings;
  m_named = k3s::all_named_files(view, read.settings, m_its_data_dir);
  for (const k3s::NamedFile& named : m_named) {
    m_paths.insert(named.path);
    if (named.needed) {
      m_needed.insert(named.path);
    }
  }
}

std::string NamedBack::on_this_host(const std::string& path) const {
  const bool in_data_dir = path.starts_with(m_its_data_dir + "/");
  return in_data_dir ? m_data_dir + path.substr(m_its_data_dir.size()) : path;
}

bool NamedBack::is_there(const std::string& path) const {
  return exists((path.starts_with(m_data_dir + "/") ? "" : m_root) + path);
}

std::string NamedBack::target_of(const std::string& archive_path) const {
  const std::string path = "/" + archive_path;
  if (!archive::check_entry_path(archive_path) || !holds(m_paths, path)) {
    return {};
  }
  if (path.starts_with(m_its_data_dir + "/")) {
    const std::string rest = path.substr(m_its_data_dir.size() + 1);
    const bool of_k3s =
        begins(rest, k_k3s) || (begins(rest, k_credentials) &&
                                !k3s::is_operators_credential(path, m_its_data_dir, m_settings));
    return of_k3s ? std::string() : on_this_host(path);
  }
  const std::string target = as_unit_of_etc(path);
  return begins(target, k_systems) ? std::string() : target;
}

bool NamedBack::is_spare(const std::string& archive_path) const {
  return !target_of(archive_path).empty() && !holds(m_needed, "/" + archive_path);
}

std::string NamedBack::missing_target_of(const std::string& archive_path) const {
  std::string target = target_of(archive_path);
  const bool has_own = !target.empty() && (is_there(target) || is_there("/" + archive_path));
  return has_own ? std::string() : target;
}

bool NamedBack::is_put_back(const std::string& path) const {
  const std::string entry = path.substr(1);
  return std::ranges::any_of(m_state.files, [&](const archive::Entry& file) {
    const bool is_it = file.path == entry || file.path.starts_with(entry + "/");
    return is_it && !(put_back_path(file.path, m_its_data_dir, m_data_dir).empty() &&
                      target_of(file.path).empty());
  });
}

std::vector<NamedFact> NamedBack::facts() const {
  std::vector<NamedFact> facts;
  for (const k3s::NamedFile& named : m_named) {
    const std::string here = on_this_host(named.path);
    facts.push_back({here, named.by, named.needed, is_there(here), is_put_back(named.path)});
  }
  return facts;
}

} // namespace rb::cluster

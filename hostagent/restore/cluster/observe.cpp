#include "restore/cluster/observe.hpp"

#include "datastore/detect.hpp"
#include "k3s/command.hpp"
#include "k3s/token.hpp"
#include "restore/cluster/checks.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/cluster/journal.hpp"

#include "base/disk_space.hpp"
#include "base/open_beneath.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <span>

namespace rb::cluster {

namespace {

constexpr std::size_t k_ca_limit_bytes = std::size_t{1} << 20U;

std::string first_program(const std::string& given, std::span<const char* const> usual) {
  if (!given.empty()) {
    return ::access(given.c_str(), X_OK) == 0 ? given : std::string();
  }
  for (const char* const path : usual) {
    if (::access(path, X_OK) == 0) {
      return path;
    }
  }
  return {};
}

/// As the operator says, or the one that the service of this host starts, or that of the set, or
/// where it usually is: the reset and the start must be of one k3s.
std::string find_program(const HostHints& hints,
                         const k3s::HostSettings& here,
                         const k3s::HostSettings* there) {
  const std::string of_set = there == nullptr ? std::string() : there->program;
  for (const std::string& path : {here.program, of_set}) {
    if (hints.k3s_program.empty() && !path.empty() && ::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return first_program(hints.k3s_program, k3s::k_usual_programs);
}

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

struct Disk {
  dev_t device = 0;
  std::uint64_t size_bytes = 0;
  std::uint64_t free_bytes = 0;

  /// Subvolumes of one btrfs have numbers of their own, and the same room.
  [[nodiscard]] bool is_apart_from(const Disk& other) const {
    return device != other.device &&
           (size_bytes != other.size_bytes || free_bytes != other.free_bytes);
  }
};

/// Of the next directory above that is there.
Disk disk_of(std::string path) {
  struct statvfs space {};
  while (::statvfs(path.c_str(), &space) != 0) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || path == "/") {
      return {};
    }
    path.resize(slash == 0 ? 1 : slash);
  }
  struct stat status {};
  static_cast<void>(::stat(path.c_str(), &status));
  const Space room = space_of(space);
  return {status.st_dev, room.total_bytes, room.available_bytes};
}

/// A mount point cannot be renamed, and one further down goes along with its directory: at the next
/// boot the old disk would be mounted over the new data. Of tls and cred the contents are replaced,
/// so they may be mount points themselves.
std::vector<std::string> mounts_in_the_way(const std::string& server) {
  std::vector<std::string> all = mount_points_in(server + "/db/etcd");
  for (const char* const file : {"/db/state.db", "/db/state.db-wal"}) {
    if (is_mount_point(server + file)) {
      all.push_back(server + file);
    }
  }
  for (const char* const name : {"/tls", "/cred"}) {
    std::vector<std::string> below = mount_points_in(server + name);
    std::erase(below, server + name);
    all.insert(all.end(), below.begin(), below.end());
  }
  return all;
}

DataDir look_at(const std::string& data_dir) {
  DataDir data;
  const std::string db = data_dir + "/server/db";
  data.etcd = is_directory(db + "/etcd/member/wal");
  data.sqlite = exists(db + "/state.db");
  data.tombstone = exists(db + "/etcd/tombstone");
  data.members =
      data.etcd ? datastore::members_on_disk(db + "/etcd") : std::vector<datastore::Member>();
  data.mounts = mounts_in_the_way(data_dir + "/server");
  if (const auto token = read_regular(data_dir + "/server/token", std::size_t{1} << 16U)) {
    data.token_hash = k3s::token_hash(token->text());
    data.cluster_cas.push_back(k3s::cluster_ca_of_token(token->text()));
  }
  if (const auto ca =
          read_regular(data_dir + "/" + std::string(k3s::k_server_ca), k_ca_limit_bytes)) {
    data.cluster_cas.push_back(k3s::cluster_ca_of_file(ca->text()));
  }
  const Disk disk = disk_of(data_dir);
  const Disk db_disk = disk_of(db);
  data.free_bytes = disk.free_bytes;
  if (db_disk.is_apart_from(disk)) {
    data.db_free_bytes = db_disk.free_bytes;
  }
  return data;
}

bool has_host_local(const std::string& data_dir) {
  const std::array<std::string, 7> directories{"/usr/local/sbin",
                                               "/usr/local/bin",
                                               "/usr/sbin",
                                               "/usr/bin",
                                               "/opt/cni/bin",
                                               "/usr/lib/cni",
                                               data_dir + "/data/current/bin"};
  return std::ranges::any_of(directories, [](const std::string& directory) {
    return ::access((directory + "/host-local").c_str(), X_OK) == 0;
  });
}

/// As the operator says it, or as the configuration does where both lead to the same directory.
std::string spelled(const std::string& given, const ServerSettings& settings) {
  const std::string configured = k3s::data_dir_of(settings);
  std::error_code error;
  return std::filesystem::equivalent(given, configured, error) ? configured : given;
}

/// The file that k3s itself writes its log to; empty: it goes to whoever started it.
std::string log_file_of(const k3s::HostSettings& here, const k3s::HostSettings* there) {
  const std::string own = here.settings.value("log");
  const std::string log = own.empty() && there != nullptr ? there->settings.value("log") : own;
  return log.starts_with('/') ? log : std::string();
}

/// As the operator gave them, else the systemd or OpenRC of this host with the unit that `here`, or
/// else the host state `there`, has. Null: none is known.
std::unique_ptr<k3s::ServiceManager> find_service_manager(ProcessRunner& processes,
                                                          const HostHints& hints,
                                                          const k3s::HostSettings& here,
                                                          const k3s::HostSettings* there) {
  if (hints.commands.given()) {
    return k3s::make_commands(processes, hints.commands);
  }
  const auto unit_of = [&](std::string k3s::HostSettings::*member) {
    const std::string own = here.*member;
    return own.empty() && there != nullptr ? there->*member : own;
  };
  constexpr std::array<const char*, 4> k_systemctl{"/usr/local/bin/systemctl",
                                                   "/usr/bin/systemctl",
                                                   "/bin/systemctl",
                                                   "/run/current-system/sw/bin/systemctl"}; // NixOS
  const std::string systemctl = first_program({}, k_systemctl);
  const std::string unit = unit_of(&k3s::HostSettings::systemd_unit);
  const std::string log = log_file_of(here, there);
  if (!systemctl.empty() && !unit.empty()) {
    auto manager = k3s::make_systemd(processes, systemctl, unit, log);
    // The program may be there where systemd does not run (containers): it does not answer then.
    if (manager->state() != k3s::ServiceState::unknown) {
      return manager;
    }
  }
  constexpr std::array<const char*, 2> k_rc_service{"/sbin/rc-service", "/usr/sbin/rc-service"};
  const std::string rc_service = first_program({}, k_rc_service);
  const std::string service = unit_of(&k3s::HostSettings::openrc_service);
  if (!rc_service.empty() && !service.empty()) {
    return k3s::make_openrc(
        processes, rc_service, service, log.empty() ? "/var/log/" + service + ".log" : log);
  }
  return nullptr;
}

} // namespace

namespace {

/// The file of its service is put back, and replaces what is there.
bool brings_service(const set::HostState& there,
                    const k3s::HostSettings& its,
                    const std::string& data_dir) {
  const std::string file = its.systemd_unit.empty()
                               ? "/etc/init.d/" + its.openrc_service
                               : "/etc/systemd/system/" + its.systemd_unit + ".service";
  return there.find(file) != nullptr &&
         !put_back_path(file.substr(1), there.data_dir, data_dir).empty();
}

} // namespace

std::string find_absent_program(const set::HostState& there,
                                const k3s::HostSettings& its,
                                const k3s::HostSettings& here,
                                const std::string& data_dir) {
  if (its.program.empty() || ::access(its.program.c_str(), X_OK) == 0) {
    return {};
  }
  const bool has_own = !here.systemd_unit.empty() || !here.openrc_service.empty();
  return brings_service(there, its, data_dir) || !has_own ? its.program : std::string();
}

std::string find_other_unit(const k3s::HostSettings& its, const k3s::HostSettings& here) {
  const bool differs = !here.systemd_unit.empty() && !its.systemd_unit.empty() &&
                       here.systemd_unit != its.systemd_unit;
  return differs ? here.systemd_unit : std::string();
}

std::string node_name_of(const ServerSettings& settings) {
  std::array<char, 256> host{};
  const bool named = ::gethostname(host.data(), host.size() - 1) == 0;
  return node_name_of(settings, named ? host.data() : std::string());
}

std::string Host::data_dir(const HostHints& hints, const set::HostState* there) const {
  std::string path = hints.data_dir.empty() ? settings.settings.value("data-dir")
                                            : spelled(hints.data_dir, settings.settings);
  if (path.empty() && there != nullptr &&
      !exists(std::string(k_usual_data_dir) + "/server/token")) {
    path = there->data_dir; // a bare host takes the layout of the backup
  }
  while (path.size() > 1 && path.ends_with('/')) {
    path.pop_back();
  }
  return path.starts_with('/') && path.size() > 1 ? path : k_usual_data_dir;
}

void Host::look(const HostHints& hints, const OpenedSet* opened) {
  const bool with_state = opened != nullptr && opened->host_state.has_value();
  const set::HostState* const there = with_state ? &*opened->host_state : nullptr;
  const k3s::HostSettings* const its = with_state ? &*opened->host_settings : nullptr;
  manager = find_service_manager(processes, hints, settings, its);
  ObservedHost host;
  host.user_id = ::geteuid();
  host.host_name = node_name_of({});
  host.k3s_program = find_program(hints, settings, its);
  if (!host.k3s_program.empty()) {
    host.k3s_version = k3s::ask_version(processes, host.k3s_program);
  }
  host.data_dir = data_dir(hints, there);
  host.own_commands = hints.commands.given();
  host.data = look_at(host.data_dir);
  host.settings = settings.settings;
  host.settings_problem = settings.problem;
  host.tokens = settings.tokens;
  host.named_here = k3s::all_named_files(k3s::DiskFiles(), host.settings, host.data_dir);
  if (there != nullptr) {
    host.named = NamedBack(*there, host.data_dir, {}).facts();
    host.absent_program = find_absent_program(*there, *its, settings, host.data_dir);
    host.other_unit = find_other_unit(*its, settings);
  }
  host.network = look_at_network();
  host.kernel_flags = kernel_flags_that_differ();
  host.host_local = has_host_local(host.data_dir);
  if (manager) {
    host.manager = manager->name();
    host.service = manager->state();
  } else {
    host.unit_template = settings.unit_template.empty() && its != nullptr ? its->unit_template
                                                                          : settings.unit_template;
  }
  auto found = servers.find(host.data_dir);
  if (found) {
    host.servers = std::move(*found);
  } else {
    host.processes_problem = found.error().message;
  }
  if (host.servers.empty()) {
    host.agents = servers.find_agents().value_or(std::vector<k3s::ServerProcess>());
  }
  host.supervisor = find_supervisor(host.servers);
  observed = std::move(host);
}

std::string Host::typed_command(const HostHints& hints, const std::string& verb) const {
  const std::string& given = verb == "start" ? hints.commands.start : hints.commands.stop;
  if (!given.empty()) {
    return given;
  }
  if (observed.manager.empty() && !observed.supervisor.name.empty()) {
    const k3s::ServiceCommands usual = commands_for(observed.supervisor);
    return verb == "start" ? usual.start : usual.stop;
  }
  constexpr std::string_view k_openrc = "OpenRC service ";
  constexpr std::string_view k_systemd = "systemd unit ";
  const std::string& name = observed.manager;
  if (name.starts_with(k_openrc)) {
    return "rc-service " + name.substr(k_openrc.size()) + " " + verb;
  }
  return "systemctl " + verb + " " +
         (name.starts_with(k_systemd) ? name.substr(k_systemd.size()) : "k3s");
}

} // namespace rb::cluster

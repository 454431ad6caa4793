#include "restore/proof/prove_set.hpp"

#include "k3s/command.hpp"
#include "k3s/host_settings.hpp"
#include "k3s/versions.hpp"
#include "objects/local_api.hpp"
#include "restore/cluster/file_changes.hpp"
#include "restore/proof/cage.hpp"
#include "restore/proof/memory.hpp"
#include "set/host_state.hpp"

#include "archive/entry_path.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <sstream>

namespace rb::proof {

namespace {

constexpr auto k_api_timeout = std::chrono::seconds(60);
constexpr const char* k_fallback_parent = "/var/tmp";

/// The directory in which k3s's data directory lies: on its disk, but not in it.
std::string scratch_parent(const ProveOrder& order, const std::string& data_dir) {
  if (!order.scratch_parent.empty()) {
    return order.scratch_parent;
  }
  std::error_code ignored;
  if (!data_dir.empty() && std::filesystem::is_directory(data_dir, ignored)) {
    return std::filesystem::path(data_dir).parent_path().string();
  }
  return k_fallback_parent;
}

/// Which kinds are served, and how objects are read.
constexpr std::array<std::string_view, 2> k_taken_over{"runtime-config", "feature-gates"};
constexpr std::string_view k_encryption = "encryption-provider-config";
/// Of etcd: on a database that is larger than its quota (2 GiB by default) nobody can write, and no
/// API server gets ready.
constexpr std::string_view k_quota = "quota-backend-bytes";

/// Taken over, or replaced by what a scratch server has of its own; of no interest here.
constexpr std::array<std::string_view, 21> k_known{"cluster-cidr",
                                                   "service-cidr",
                                                   "secrets-encryption",
                                                   "secrets-encryption-provider",
                                                   "config",
                                                   "data-dir",
                                                   "node-ip",
                                                   "node-name",
                                                   "token",
                                                   "cluster-init",
                                                   "write-kubeconfig",
                                                   "write-kubeconfig-mode",
                                                   "disable",
                                                   "disable-agent",
                                                   "disable-scheduler",
                                                   "disable-cloud-controller",
                                                   "disable-controller-manager",
                                                   "disable-helm-controller",
                                                   "disable-network-policy",
                                                   "flannel-backend",
                                                   "debug"};

k3s::ServerSettings server_settings_of(const set::HostState& state) {
  return k3s::read_host_settings(set::HostStateView(state), state.node).settings;
}

/// The ranges of IPv4 among those of a setting, "10.42.0.0/16,fd00:42::/56" or a list; those of
/// IPv6 are left out. A scratch server has an address of IPv4 alone, on every machine, and the API
/// server refuses a range of services of another family than its own address. It serves what is
/// stored whatever its ranges are.
std::string ipv4_ranges(const k3s::ServerSettings& read,
                        const std::string& flag,
                        std::vector<std::string>& left_out) {
  std::string kept;
  for (const std::string& value : read.values(flag)) {
    std::istringstream ranges(value);
    for (std::string range; std::getline(ranges, range, ',');) {
      if (range.find(':') != std::string::npos) {
        left_out.push_back(flag + " " + range);
      } else {
        kept += (kept.empty() ? "" : ",") + range;
      }
    }
  }
  return kept;
}

std::string encryption_path(const std::string& directory) {
  return directory + "/encryption-provider.yaml";
}

/// The name and the value of "--NAME=VALUE" or "NAME=VALUE".
std::pair<std::string, std::string> parts_of(const std::string& argument) {
  const std::size_t begin = std::min(argument.find_first_not_of('-'), argument.size());
  const std::size_t equals = std::min(argument.find('=', begin), argument.size());
  return {argument.substr(begin, equals - begin),
          argument.substr(std::min(equals + 1, argument.size()))};
}

/// The operator's own encryption configuration; empty: there is none.
std::string own_encryption(const k3s::ServerSettings& settings) {
  std::string path;
  for (const std::string& argument : settings.values("kube-apiserver-arg")) {
    const auto [name, value] = parts_of(argument);
    path = name == k_encryption ? value : path;
  }
  return path;
}

/// A relative path lies in the server's working directory.
const archive::Entry* entry_of(const set::HostState& state, const std::string& path) {
  return path.starts_with('/') || path.empty() ? state.find(path)
                                               : state.find(state.data_dir + "/server/" + path);
}

/// The sockets of the KMS plugins in an EncryptionConfiguration: nothing else in it is a URL of
/// such a scheme. Not of lines that are comments.
std::vector<std::string> kms_sockets(std::string_view configuration) {
  constexpr std::string_view k_scheme = "unix://";
  std::vector<std::string> sockets;
  std::istringstream lines{std::string(configuration)};
  for (std::string line; std::getline(lines, line);) {
    line.resize(std::min(line.find('#'), line.size()));
    for (std::size_t at = line.find(k_scheme); at != std::string::npos;) {
      at += k_scheme.size();
      const std::size_t end = std::min(line.find_first_of(" \t\r\"',}", at), line.size());
      sockets.push_back(line.substr(at, end - at));
      at = line.find(k_scheme, end);
    }
  }
  return sockets;
}

void take_argument(const set::HostState& state,
                   const k3s::Setting& setting,
                   const std::string& directory,
                   ServerSettings& settings) {
  if (std::ranges::find(k_known, setting.flag) != k_known.end()) {
    return;
  }
  const bool of_component = setting.flag.ends_with("-arg");
  const auto [name, value] = parts_of(setting.value);
  if (setting.flag == "kube-apiserver-arg") {
    if (std::ranges::find(k_taken_over, name) != k_taken_over.end()) {
      settings.api_server_args.push_back(name + "=" + value);
      return;
    }
    if (name == k_encryption && entry_of(state, value) != nullptr) {
      settings.api_server_args.push_back(name + "=" + encryption_path(directory));
      return;
    }
  }
  if (setting.flag == "etcd-arg" && name == k_quota) {
    settings.etcd_args.push_back(name + "=" + value);
    return;
  }
  std::string shown = setting.flag + (of_component ? " " + name : "");
  if (std::ranges::find(settings.left_out, shown) == settings.left_out.end()) {
    settings.left_out.push_back(std::move(shown));
  }
}

} // namespace

ServerSettings settings_of(const set::HostState& state, const std::string& directory) {
  const k3s::ServerSettings read = server_settings_of(state);
  ServerSettings settings;
  settings.cluster_cidr = ipv4_ranges(read, "cluster-cidr", settings.left_out);
  settings.service_cidr = ipv4_ranges(read, "service-cidr", settings.left_out);
  settings.secrets_encryption = read.is_on("secrets-encryption");
  settings.secrets_encryption_provider = read.value("secrets-encryption-provider");
  std::set<std::string> seen;
  for (const k3s::Setting& any : read.all()) {
    if (seen.insert(any.flag).second) {
      for (const k3s::Setting& setting : read.of(any.flag)) {
        take_argument(state, setting, directory, settings);
      }
    }
  }
  return settings;
}

Status bring_files(const set::HostState& state, const std::string& directory) {
  const k3s::ServerSettings read = server_settings_of(state);
  const archive::Entry* const file = entry_of(state, own_encryption(read));
  return file == nullptr
             ? Status()
             : cluster::write_file(encryption_path(directory), file->content.view(), 0600);
}

Status check_kms(const set::HostState& state) {
  const archive::Entry* const file = entry_of(state, own_encryption(server_settings_of(state)));
  for (const std::string& socket : kms_sockets(file == nullptr ? "" : file->content.text())) {
    // "/@name" is in the abstract namespace of the network, and the scratch server has its own.
    std::error_code ignored;
    if (socket.starts_with("/@") || !std::filesystem::is_socket(socket, ignored)) {
      return Error{ErrorCode::unsupported,
                   "a scratch server cannot read what is stored: its keys come from a KMS plugin "
                   "at unix://" +
                       archive::printable(socket) + ", which is not to be reached from here",
                   "drill with --boot on the server itself, where the plugin runs; opening a set "
                   "needs none"}
          .because(api::Reason::proof_unavailable);
    }
  }
  return {};
}

std::string left_out_line(const ServerSettings& settings) {
  std::string line;
  for (const std::string& name : settings.left_out) {
    line += (line.empty() ? "boot: without " : ", ") + name;
  }
  return line;
}

Result<BootInput> boot_input(const set::HostState& state,
                             const ScratchDir& scratch,
                             const std::string& k3s,
                             std::chrono::seconds timeout,
                             const std::function<void(const std::string& line)>& progress) {
  BootInput input;
  input.k3s = k3s;
  input.directory = scratch.path();
  input.token = state.server_token();
  input.settings = settings_of(state, scratch.path());
  input.reset_timeout = timeout;
  input.ready_timeout = timeout;
  RB_TRY(check_kms(state));
  RB_TRY(bring_files(state, scratch.path()));
  if (const std::string line = left_out_line(input.settings); !line.empty()) {
    progress(line);
  }
  return input;
}

Result<std::string> find_k3s(const std::string& ordered, const std::string& of_host) {
  std::vector<std::string> candidates{ordered};
  if (ordered.empty()) {
    candidates = {of_host};
    candidates.insert(candidates.end(), k3s::k_usual_programs.begin(), k3s::k_usual_programs.end());
  }
  for (const std::string& path : candidates) {
    if (path.starts_with('/') && ::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return Error{ErrorCode::not_found,
               (ordered.empty() ? "k3s" : ordered) + ": no such program on this host",
               "name it: --k3s /path/to/k3s (the version of the backup, or a newer one)"};
}

Status check_release(const set::Manifest& manifest,
                     const std::string& here,
                     const std::function<void(const std::string& line)>& progress) {
  k3s::StoredData data;
  data.k3s_version = manifest.k3s_version;
  if (manifest.snapshot) {
    data.kind = manifest.snapshot->kind;
    data.storage_version = manifest.snapshot->storage_version;
  }
  const k3s::FitVerdict verdict = k3s::judge_restore(data, here);
  if (verdict.fit == k3s::Fit::refused) {
    return Error{
        ErrorCode::unsupported, verdict.message, "name another k3s with --k3s, or " + verdict.hint};
  }
  if (verdict.fit == k3s::Fit::doubtful) {
    progress("boot: " + verdict.message);
  }
  return {};
}

Result<BootReport> boot_here(const BootInput& input,
                             ScratchDir& scratch,
                             const std::function<void(const std::string& line)>& progress,
                             const std::stop_token& stop) {
  NamespaceCage cage;
  const RealClock clock;
  RealWaiter waiter;
  const BootPorts ports{cage,
                        clock,
                        waiter,
                        [](const std::string& path) {
                          return std::make_unique<objects::SocketApi>(path, k_api_timeout);
                        },
                        [] { return usable_memory_bytes(); },
                        progress};
  auto report = boot(input, ports, stop);
  const Status removed = scratch.remove();
  if (report && !removed) {
    return removed.error();
  }
  return report;
}

Result<BootReport> prove_set(set::Directory& directory,
                             const set::Manifest& manifest,
                             std::span<const age::Identity> identities,
                             const ProveOrder& order,
                             const std::function<void(const std::string& line)>& progress,
                             const std::stop_token& stop) {
  if (::geteuid() != 0) {
    return Error{
        ErrorCode::permission_denied, "a scratch server can be booted by root only", "use sudo"};
  }
  if (!manifest.snapshot) {
    return Error{
        ErrorCode::incomplete, manifest.run_id + ": has no snapshot to boot", "choose another set"};
  }
  RB_TRY_ASSIGN(const set::HostState state,
                set::open_host_state(directory, manifest, identities, stop));
  RB_TRY_ASSIGN(const std::string k3s, find_k3s(order.k3s, state.k3s_program));
  RealProcessRunner processes;
  if (const std::string here = k3s::ask_version(processes, k3s, stop); !here.empty()) {
    RB_TRY(check_release(manifest, here, progress));
  }
  auto made = ScratchDir::make(scratch_parent(order, state.data_dir),
                               scratch_bytes_for(manifest.snapshot->size_bytes),
                               order.places);
  if (!made) {
    return std::move(made).error().because(api::Reason::proof_unavailable);
  }
  ScratchDir scratch = *std::move(made);
  RB_TRY_ASSIGN(BootInput input, boot_input(state, scratch, k3s, order.timeout, progress));
  input.snapshot_path = scratch.path() + "/snapshot";
  input.revision = manifest.snapshot->revision;
  input.objects = manifest.snapshot->objects;
  progress("boot: decrypting the snapshot into " + scratch.path());
  RB_TRY(set::decrypt_artifact_to(directory,
                                  manifest,
                                  api::ArtifactType::datastore,
                                  identities,
                                  {input.snapshot_path, false},
                                  stop));
  return boot_here(input, scratch, progress, stop);
}

} // namespace rb::proof

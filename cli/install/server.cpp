#include "cli/install/server.hpp"

#include "k3s/auto_deploy.hpp"
#include "k3s/command.hpp"
#include "k3s/etcd_snapshot.hpp"

#include "base/text.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <sstream>

namespace rb::install {

namespace {

constexpr int k_highest_port = 65535;

/// Where NixOS has the programs of the system that runs, whichever generation that is.
constexpr const char* k_nix_program = "/nix/var/nix/profiles/system/sw/bin/k3s";

/// With one of these k3s imports no images, and no pod of ours runs here.
constexpr std::array<const char*, 3> k_no_containerd{
    "disable-agent", "docker", "container-runtime-endpoint"};

bool is_directory(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// `of_service`: the one that the service of this host starts (INSTALL_K3S_BIN_DIR of k3s's
/// installer). One that lies at a usual place beside it is not the one that runs.
std::string find_program(const std::string& given, const std::string& of_service) {
  if (!given.empty()) {
    return ::access(given.c_str(), X_OK) == 0 ? given : std::string();
  }
  if (of_service.starts_with('/') && ::access(of_service.c_str(), X_OK) == 0) {
    return of_service.starts_with("/nix/store/") ? lasting_program(of_service, k_nix_program)
                                                 : of_service;
  }
  const auto* const found = std::ranges::find_if(
      k3s::k_usual_programs, [](const char* path) { return ::access(path, X_OK) == 0; });
  return found == k3s::k_usual_programs.end() ? std::string() : *found;
}

std::string this_host() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : std::string();
}

Status check_server(const HostFacts& facts) {
  if (facts.user_id != 0) {
    return Error{ErrorCode::permission_denied,
                 "only root can install on a k3s server: the files are k3s's",
                 "run it with sudo"};
  }
  if (!facts.settings.problem.empty()) {
    return Error{ErrorCode::invalid_argument,
                 "the settings of k3s can't be read: " + facts.settings.problem,
                 "k3s would not start with them, either"};
  }
  if (!facts.has_server && facts.has_agent) {
    return Error{ErrorCode::unsupported,
                 "this node is an agent of its cluster, not a server: " + facts.data_dir +
                     "/server is not there",
                 "run it on a server; the backups are made there"};
  }
  if (facts.k3s_program.empty() || !facts.has_server) {
    return Error{ErrorCode::not_found,
                 facts.k3s_program.empty() ? "there is no k3s on this host"
                                           : "no k3s server has run on this host: " +
                                                 facts.data_dir + "/server is not there",
                 facts.k3s_program.empty()
                     ? "say where its program is with --k3s; where there is none use the Helm chart"
                     : "run it on a k3s server that is up; elsewhere use the Helm chart"};
  }
  for (const char* const flag : k_no_containerd) {
    if (facts.settings.settings.is_on(flag)) {
      return Error{ErrorCode::unsupported,
                   "this server runs with --" + std::string(flag) +
                       ": k3s brings no image to its containers",
                   "bring the image to a registry and install the Helm chart"};
    }
  }
  return {};
}

Result<int> port_of(const k3s::ServerSettings& settings) {
  const std::string text = settings.value("https-listen-port");
  if (text.empty()) {
    return Server{}.api_port;
  }
  const int port = whole_number<int>(text).value_or(0);
  if (port < 1 || port > k_highest_port) {
    return Error{ErrorCode::invalid_argument, "https-listen-port of k3s is no port", {}};
  }
  return port;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  });
  return text;
}

/// Of "KEY:EFFECT" and "KEY=VALUE:EFFECT", of which commas may make one value.
std::vector<std::string> taints_of(const k3s::ServerSettings& settings) {
  std::vector<std::string> keys;
  for (const std::string& value : settings.values("node-taint")) {
    std::istringstream taints(value);
    for (std::string taint; std::getline(taints, taint, ',');) {
      std::string key = taint.substr(0, taint.find_first_of("=:"));
      if (!key.empty() && std::ranges::find(keys, key) == keys.end()) {
        keys.push_back(std::move(key));
      }
    }
  }
  return keys;
}

/// Absolute, as a pod has to have it. Where a link takes the place of the usual directory, what it
/// leads to: a pod sees that only where it is mounted.
std::string snapshot_dir_of(const HostFacts& facts) {
  const std::string named = facts.settings.settings.value("etcd-snapshot-dir");
  const std::string path = k3s::snapshot_directory(facts.data_dir, named);
  std::error_code none;
  if (named.empty() && std::filesystem::is_symlink(path, none)) {
    return std::filesystem::canonical(path, none).string();
  }
  return named.empty() ? named : path;
}

std::string or_else(const std::string& value, const std::string& otherwise) {
  return value.empty() ? otherwise : value;
}

} // namespace

std::string lasting_program(const std::string& program, const std::string& lasting) {
  std::error_code not_there;
  return std::filesystem::equivalent(program, lasting, not_there) ? lasting : program;
}

HostFacts look_at_host(const std::string& root, const std::string& k3s_program) {
  HostFacts facts;
  facts.user_id = ::geteuid();
  facts.host_name = this_host();
  facts.settings = k3s::read_host_settings(k3s::DiskFiles(root));
  facts.k3s_program = find_program(k3s_program, facts.settings.program);
  if (facts.settings.settings.is_on("with-node-id")) {
    const std::string id = k3s::DiskFiles(root).read("/etc/rancher/node/id").value_or("");
    facts.node_id = id.substr(0, id.find_first_of(" \t\r\n"));
  }
  facts.data_dir = k3s::data_dir_of(facts.settings.settings);
  facts.has_server = is_directory(facts.data_dir + "/server");
  facts.has_agent = is_directory(facts.data_dir + "/agent");
  facts.datastore = datastore::detect(datastore::look_for(facts.data_dir, facts.settings.settings));
  return facts;
}

Result<Server> server_of(const HostFacts& facts) {
  RB_TRY(check_server(facts));
  const k3s::ServerSettings& settings = facts.settings.settings;
  Server server;
  server.data_dir = facts.data_dir;
  server.k3s_program = facts.k3s_program;
  server.kubeconfig = or_else(settings.value("write-kubeconfig"), k3s::k_usual_kubeconfig);
  server.snapshot_dir = snapshot_dir_of(facts);
  server.node_name = lower(or_else(settings.value("node-name"), facts.host_name));
  server.node_name += facts.node_id.empty() ? "" : "-" + facts.node_id;
  RB_TRY_ASSIGN(server.api_port, port_of(settings));
  server.taints = taints_of(settings);
  if (const auto kind = datastore::kind_at(facts.datastore, facts.data_dir); !kind) {
    server.warnings.push_back(kind.error().text());
  }
  return server;
}

} // namespace rb::install

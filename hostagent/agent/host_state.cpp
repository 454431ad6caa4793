#include "agent/host_state.hpp"

#include "agent/mounted_files.hpp"
#include "agent/named_files.hpp"
#include "agent/signing.hpp"
#include "k3s/token.hpp"
#include "set/host_state.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace rb::agent {

using set::path_in_host_state;

namespace {

void add_server_files(FileCollector& files, const std::string& server) {
  // A link to `token` is what k3s makes where there is no agent token of its own.
  std::error_code ignored;
  if (!std::filesystem::is_symlink(server + "/agent-token", ignored)) {
    files.add_file(server + "/agent-token", path_in_host_state(server + "/agent-token"));
  }
  files.add_file(server + "/cred/passwd", path_in_host_state(server + "/cred/passwd"));
  files.add_file(server + "/cred/ipsec.psk", path_in_host_state(server + "/cred/ipsec.psk"));
  files.add_matching(server + "/cred", "encryption-", path_in_host_state(server + "/cred"));
}

void add_configuration(FileCollector& files, const Settings& settings) {
  files.add_tree(settings.config_dir + "/k3s", "etc/rancher/k3s");
  files.add_file(settings.config_dir + "/node/password", "etc/rancher/node/password");
  const std::string& etc = settings.host_etc_dir;
  for (const char* const directory :
       {"/systemd/system", "/default", "/sysconfig", "/init.d", "/conf.d"}) {
    files.add_matching(etc + directory, "k3s", std::string("etc") + directory);
  }
}

std::string cluster_ca_of(FileCollector& files, const std::string& path) {
  const auto found = std::ranges::find(files.entries(), path, &archive::Entry::path);
  return found == files.entries().end() ? std::string()
                                        : k3s::cluster_ca_of_file(found->content.text());
}

Failure token_missing(const std::string& path, const FileCollector& files) {
  const std::string why =
      files.skipped().empty() ? path + ": there is no server token" : files.skipped().back().why;
  return {api::Reason::host_state_missing,
          why,
          "without the token a snapshot cannot be restored on another host: see that --data-dir "
          "is the server's data directory and that this node is a server"};
}

} // namespace

std::variant<HostState, Failure>
collect_host_state(const Settings& settings, const HostFacts& facts, CollectLimits limits) {
  const std::string server = settings.data_dir + "/server";
  const MountedFiles mounted(settings);
  FileCollector files(limits, [&](const std::string& path) { return mounted.seen_as(path); });
  if (!files.add_file(server + "/token", path_in_host_state(server + "/token"))) {
    return token_missing(server + "/token", files);
  }
  HostState state;
  state.token_hash = k3s::token_hash(files.entries().front().content.text());
  if (state.token_hash.empty()) {
    return Failure{api::Reason::host_state_missing, server + "/token: the file is empty", {}};
  }
  add_server_files(files, server);
  add_configuration(files, settings);
  // A restored host goes on signing with the same key.
  for (const std::string_view name : {k_signing_key_name, k_signing_pub_name}) {
    const std::string path = settings.key_dir + "/" + std::string(name);
    files.add_file(path, path_in_host_state(path));
  }
  add_named_files(files, mounted, k3s::read_host_settings(mounted, facts.node), settings.data_dir);
  files.add_tree(server + "/tls", path_in_host_state(server + "/tls"));

  state.cluster_ca = cluster_ca_of(files, path_in_host_state(server + "/tls/server-ca.crt"));
  auto packed = set::pack_host_state({facts.run_id,
                                      facts.k3s_version,
                                      settings.k3s_program,
                                      settings.node_name,
                                      settings.node_address,
                                      settings.data_dir,
                                      state.token_hash,
                                      facts.node},
                                     files.entries(),
                                     files.skipped(),
                                     facts.now);
  if (!packed) {
    return failure_as(api::Reason::internal_error, packed.error());
  }
  state.tar_gz = std::move(*packed);
  state.files = files.entries().size();
  state.skipped = files.skipped();
  return state;
}

} // namespace rb::agent

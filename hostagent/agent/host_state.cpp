#include "agent/host_state.hpp"

#include "agent/mounted_files.hpp"
#include "agent/named_files.hpp"
#include "agent/signing.hpp"
#include "k3s/token.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace rb::agent {

namespace {

/// Where a path of the host stands in the archive.
std::string in_archive(const std::string& path) {
  const std::string normal = std::filesystem::path(path).lexically_normal().string();
  return normal.substr(std::min(normal.find_first_not_of('/'), normal.size()));
}

void add_server_files(FileCollector& files, const std::string& server) {
  // A link to `token` is what k3s makes where there is no agent token of its own.
  std::error_code ignored;
  if (!std::filesystem::is_symlink(server + "/agent-token", ignored)) {
    files.add_file(server + "/agent-token", in_archive(server + "/agent-token"));
  }
  files.add_file(server + "/cred/passwd", in_archive(server + "/cred/passwd"));
  files.add_file(server + "/cred/ipsec.psk", in_archive(server + "/cred/ipsec.psk"));
  files.add_matching(server + "/cred", "encryption-", in_archive(server + "/cred"));
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

SecretBytes host_json(const Settings& settings,
                      const HostFacts& facts,
                      const std::string& hash,
                      FileCollector& files) {
  nlohmann::json json{{"schema", "railiance.io/host-state/v1"},
                      {"runID", facts.run_id},
                      {"time", format_rfc3339(facts.now)},
                      {"nodeName", settings.node_name},
                      {"nodeAddress", settings.node_address},
                      {"k3sVersion", facts.k3s_version},
                      {"k3sProgram", settings.k3s_program},
                      {"dataDir", settings.data_dir},
                      {"tokenHash", hash},
                      {"nodeArgs", facts.node.args},
                      {"nodeEnv", facts.node.env},
                      {"files", nlohmann::json::array()},
                      {"skipped", nlohmann::json::array()}};
  for (const archive::Entry& entry : files.entries()) {
    json["files"].push_back(entry.path);
  }
  for (const SkippedFile& file : files.skipped()) {
    json["skipped"].push_back({{"path", file.path}, {"why", file.why}});
  }
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  return SecretBytes(as_bytes(text + "\n"));
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
  if (!files.add_file(server + "/token", in_archive(server + "/token"))) {
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
    files.add_file(path, in_archive(path));
  }
  add_named_files(files, mounted, k3s::read_host_settings(mounted, facts.node), settings.data_dir);
  files.add_tree(server + "/tls", in_archive(server + "/tls"));

  state.cluster_ca = cluster_ca_of(files, in_archive(server + "/tls/server-ca.crt"));
  files.entries().push_back(
      {"host.json", host_json(settings, facts, state.token_hash, files), 0600, facts.now});
  auto packed = archive::write_tar_gz(files.entries());
  if (!packed) {
    return failure_as(api::Reason::internal_error, packed.error());
  }
  state.tar_gz = std::move(*packed);
  state.files = files.entries().size();
  state.skipped = files.skipped();
  return state;
}

} // namespace rb::agent

// What the agent takes from its host: the host state, which is what a bare host needs besides the
// snapshot to become this server again, and the kubeconfig. Contents and layout:
// docs/artifact-format.md, "host-state".
#pragma once

#include "agent/host/mounted_files.hpp"
#include "agent/host/settings.hpp"
#include "k3s/host_settings.hpp"
#include "k3s/server_settings.hpp"

#include "base/clock.hpp"
#include "base/secret_bytes.hpp"

#include <string>
#include <vector>

namespace rb::agent {

struct HostFacts {
  std::string run_id;
  std::string k3s_version; ///< May be empty.
  SystemTime now{};
  k3s::NodeArguments node = {}; ///< What the Node says of this server; may be empty.
};

struct HostState {
  SecretBytes tar_gz;
  std::string token_hash;
  std::string cluster_ca; ///< As k3s::cluster_ca_of_file; empty: the file is not there.
  std::size_t files = 0;
  std::vector<SkippedFile> skipped; ///< As host.json lists them: of very many the first.
  std::size_t skipped_in_all = 0;
};

/// Reads the server token (required), agent token, cred/, tls/, what an operator puts into the data
/// directory (manifests/, static/, …), /etc/rancher, unit and environment files, and the files that
/// the server's settings name, wherever they are; adds `host.json`, which says what was left out.
/// All of it is in memory. Errors: not_found (no token), internal.
[[nodiscard]] Result<HostState>
collect_host_state(const Settings& settings, const HostFacts& facts, CollectLimits limits = {});

/// Collects the files that a server's settings name, and those that these name in turn. What is
/// named and not taken stands in files.skipped() with the reason: not there, not to be seen from
/// here, a directory of too much, a device. What an operator puts into the data directory is taken,
/// too.
void add_named_files(FileCollector& files,
                     const MountedFiles& mounted,
                     const k3s::HostSettings& host,
                     const std::string& data_dir);

struct Kubeconfig {
  std::string path;
  SecretBytes content;
};

/// Takes the first of `candidates` that exists. One that exists and cannot be used (empty, no
/// kubeconfig, unreadable) is not passed over: the operator meant it. Errors: not_found, corrupt,
/// those of read_regular.
[[nodiscard]] Result<Kubeconfig> find_kubeconfig(const std::vector<std::string>& candidates);

} // namespace rb::agent

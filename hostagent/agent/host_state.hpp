// The disaster kit: what a bare host needs besides the snapshot to become this server again, as
// one tar.gz in memory. Contents and layout: docs/artifact-format.md, "host-state".
#pragma once

#include "agent/failure.hpp"
#include "agent/file_collector.hpp"
#include "agent/settings.hpp"
#include "k3s/server_settings.hpp"

#include "base/clock.hpp"
#include "base/secret_bytes.hpp"

#include <string>
#include <variant>

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
  std::vector<SkippedFile> skipped;
};

/// Reads the server token (required), agent token, cred/, tls/, what an operator puts into the data
/// directory (manifests/, static/, …), /etc/rancher, unit and environment files, and the files that
/// the server's settings name, wherever they are; adds `host.json`, which says what was left out.
/// Reason: host_state_missing (no token), internal_error.
[[nodiscard]] std::variant<HostState, Failure>
collect_host_state(const Settings& settings, const HostFacts& facts, CollectLimits limits = {});

} // namespace rb::agent

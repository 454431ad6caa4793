// How a scratch server is called: flags for the reset, the server and the way into its API.
#pragma once

#include "base/process.hpp"
#include "base/secret_bytes.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace rb::proof {

/// Of the scratch server's node. RFC 2544 keeps the range for tests of networks: no cluster has it.
inline constexpr const char* k_scratch_address = "198.18.255.1";

/// Settings of the server that was backed up, without which its data doesn't fit.
struct ServerSettings {
  std::string cluster_cidr;                ///< Of IPv4; empty: k3s's default for such an address.
  std::string service_cidr;                ///< As cluster_cidr.
  bool secrets_encryption = false;         ///< Its keys come from the snapshot.
  std::string secrets_encryption_provider; ///< Empty: k3s's default.
  /// "NAME=VALUE" for the API server: without them it serves or reads other objects.
  std::vector<std::string> api_server_args = {};
  std::vector<std::string> etcd_args = {}; ///< The same for etcd.
  /// Arguments that the server has and the scratch server does not, by their names.
  std::vector<std::string> left_out = {};
};

struct ScratchServer {
  std::string program;       ///< k3s, absolute.
  std::string directory;     ///< The scratch directory, absolute.
  std::string snapshot_path; ///< Absolute.
  std::string_view token;    ///< Goes into the environment only.
  ServerSettings settings;
  std::chrono::seconds reset_timeout{300};
};

/// Paths in the scratch directory.
[[nodiscard]] std::string config_of(const ScratchServer& server); ///< Empty: the host's isn't read.
[[nodiscard]] std::string kubeconfig_of(const ScratchServer& server);
[[nodiscard]] std::string log_of(const ScratchServer& server);
[[nodiscard]] std::string proxy_log_of(const ScratchServer& server);
[[nodiscard]] std::string socket_of(const ScratchServer& server);

/// Of `k3s kubectl` there: of the scratch server alone, and without the token.
[[nodiscard]] std::map<std::string, std::string> environment_of(const ScratchServer& server);

/// Errors: invalid_argument. The environment of both holds the token: k3s::wipe_token() after use.
[[nodiscard]] Result<ProcessSpec> scratch_reset_spec(const ScratchServer& server);
[[nodiscard]] ProcessSpec scratch_server_spec(const ScratchServer& server);

/// `k3s kubectl proxy` on the socket, for the time of the comparison.
[[nodiscard]] ProcessSpec proxy_spec(const ScratchServer& server);

} // namespace rb::proof

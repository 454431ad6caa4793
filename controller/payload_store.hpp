// The encrypted Helm artifact on its way through the API: pieces in ConfigMaps of our namespace.
#pragma once

#include "api/cluster_backup.hpp"
#include "api/node_backup.hpp"
#include "api/payload_name.hpp"
#include "base/bytes.hpp"
#include "kube/client.hpp"

#include <set>
#include <stop_token>
#include <string>
#include <vector>

namespace rb::controller {

/// A ConfigMap holds 1 MiB at most; base64 takes a third more.
inline constexpr std::size_t k_payload_piece_bytes = std::size_t{768} << 10U;
/// As in crds/ (helmPayload.configMaps, maxItems).
inline constexpr std::size_t k_payload_pieces_limit = 256;
static_assert(api::k_payload_limit_bytes <= k_payload_piece_bytes * k_payload_pieces_limit);

[[nodiscard]] std::size_t payload_pieces(std::size_t ciphertext_bytes);

/// One of the objects to create; owned by the run's ClusterBackup. Pure.
[[nodiscard]] nlohmann::json payload_config_map(const std::string& name_space,
                                                const api::OwnerReference& owner,
                                                std::size_t number,
                                                ByteView ciphertext);

class PayloadStore {
public:
  PayloadStore(kube::Client& client, std::string name_space);

  /// Removes what is there of the run, then writes all pieces. Errors: those of the client;
  /// unsupported (more than the agent takes).
  [[nodiscard]] Result<api::HelmPayload>
  write(const api::OwnerReference& owner, ByteView ciphertext, std::stop_token stop);

  /// Removes all pieces of the run; none is fine.
  [[nodiscard]] Status remove(const std::string& run_uid, std::stop_token stop);

  /// The uids of all runs that have pieces. Only metadata is read.
  [[nodiscard]] Result<std::set<std::string>> list_runs(std::stop_token stop);

private:
  kube::Client& m_client;
  std::string m_name_space;
};

} // namespace rb::controller

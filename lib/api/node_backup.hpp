// NodeBackup (backup.railiance.io/v1alpha1): the controller's order to the agent of one node, and
// the agent's report. Made by the controller, owned by its ClusterBackup; not for people to make.
#pragma once

#include "api/backup_status.hpp"
#include "api/condition.hpp"
#include "api/meta.hpp"
#include "api/verification.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::api {

/// The encrypted Helm artifact on its way: age ciphertext, cut into ConfigMaps (binaryData key
/// "payload") of our namespace, to be joined in this order.
struct HelmPayload {
  std::vector<std::string> config_maps;
  std::uint64_t size_bytes = 0; ///< Of the whole ciphertext.
  std::string sha256;           ///< Of the whole ciphertext, lower-case hex.
};

struct NodeBackupSpec {
  std::string cluster_backup_name;
  std::string run_id;
  std::string node_name;
  std::vector<ArtifactType> artifacts; ///< As asked for, HelmValues included.
  std::int32_t keep_last = 7;
  bool manual = false;   ///< Its set counts and goes beside its like only (set::SetKind).
  SystemTime deadline{}; ///< The agent gives up then (DeadlineExceeded).
  std::optional<HelmPayload> helm_payload; ///< Absent: not asked for, or could not be made.
  std::optional<HelmStatus> helm;          ///< Goes into the manifest.
  std::vector<MissingArtifact> missing;    ///< What the controller already knows to be missing.
  Verification verification = Verification::snapshot;
  /// What was asked for in words that only a newer release knows. Never written.
  std::vector<std::string> unknown;
};

/// Where the agent is; `bytes_total` is 0 where it is not known.
struct Progress {
  std::string step; ///< "TakingSnapshot", "EncryptingSnapshot", "ProvingSnapshot",
                    ///< "StoringArtifacts", "Pruning"
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
};

struct NodeBackupStatus {
  std::int64_t observed_generation = 0;
  std::vector<Condition>
      conditions;          ///< Succeeded, SnapshotTaken, Proven, ArtifactsStored, Verified, Pruned
  std::string agent_id;    ///< Pod UID of the agent that took the order.
  std::string instance_id; ///< Of the process that took it: a pod's container may restart.
  std::optional<SystemTime> start_time;
  std::optional<SystemTime> heartbeat_time; ///< Renewed at least every 15 s while the run goes on.
  std::optional<SystemTime> completion_time;
  std::optional<Progress> progress;
  std::vector<ArtifactStatus> artifacts;
  std::vector<MissingArtifact> missing;
  std::optional<EtcdStatus> etcd;
  std::string signing_key;         ///< Public key of the host that signs the manifest, "RW…".
  std::vector<std::string> pruned; ///< Run ids of the sets that were removed, at most 100.
};

struct NodeBackup {
  ObjectMeta meta;
  NodeBackupSpec spec;
  NodeBackupStatus status;

  /// Succeeded is True or False.
  [[nodiscard]] bool finished() const;
  /// An agent has taken the order.
  [[nodiscard]] bool accepted() const { return status.start_time.has_value(); }
};

/// Errors: corrupt, invalid_argument.
[[nodiscard]] Result<NodeBackup> node_backup_from_json(const nlohmann::json& object);
[[nodiscard]] nlohmann::json to_json(const NodeBackup& order);
[[nodiscard]] nlohmann::json to_json(const NodeBackupStatus& status);

} // namespace rb::api

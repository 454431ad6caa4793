// ClusterBackup and NodeBackup (backup.railiance.io/v1alpha1): one run, and the controller's order
// to the agent of one node. Source of the fields: crds/.
#pragma once

#include "api/artifacts.hpp"
#include "api/meta.hpp"
#include "api/servers.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::api {

/// How far a run goes to know that its snapshot is good (spec.verification).
enum class Verification {
  snapshot, ///< Digests, structure and read-back: what every run does.
  boot,     ///< Besides, a scratch server is booted from it and its objects are compared.
};

/// "Snapshot", "Boot".
[[nodiscard]] std::span<const Word<Verification>> words_of(Verification);

struct ClusterBackupSpec {
  std::vector<ArtifactType> artifacts{k_all_artifacts.begin(), k_all_artifacts.end()};
  /// spec.retention.keepLast, 1..1000; absent: what the cluster is configured to keep.
  std::optional<std::int32_t> keep_last;
  /// spec.trigger is "Schedule". Sets that were asked for otherwise never push out those of the
  /// schedule.
  bool scheduled = false;
  std::int32_t deadline_seconds = 3600; ///< From startTime to the end of the run.
  std::string node_name;                ///< That node and no other; empty: as `servers` says.
  Servers servers = Servers::all;
  std::optional<std::int32_t> ttl_seconds_after_finished;
  Verification verification = Verification::snapshot;
  /// What was asked for in words that only a newer release knows. Never written.
  std::vector<std::string> unknown;
};

struct ClusterBackupStatus : RunResults {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  std::string run_id; ///< The <ts> of the file names; set once, at the start.
  std::optional<SystemTime> start_time;
  std::optional<SystemTime> completion_time;
  std::string node_name; ///< Of the set that the results here are of.
  /// Where the run goes to several servers: each of them, chosen or left out, by name. Empty: it
  /// goes to `node_name` alone.
  std::vector<ServerCopy> servers;
  std::uint64_t total_size_bytes = 0; ///< Sum over artifacts; the Size column.
  std::optional<HelmStatus> helm;
};

struct ClusterBackup {
  ObjectMeta meta;
  ClusterBackupSpec spec;
  ClusterBackupStatus status;

  /// Succeeded is True or False: the run has ended and its status will not change any more.
  [[nodiscard]] bool finished() const { return has_ended(status.conditions); }
};

/// Defaults are those of the CRD. Errors: corrupt. Words of a newer release are no error.
[[nodiscard]] Result<ClusterBackup> cluster_backup_from_json(const nlohmann::json& object);

/// An object to be created: apiVersion, kind, metadata, spec.
[[nodiscard]] nlohmann::json to_json(const ClusterBackup& backup);

/// The `status` alone, for a write to /status.
[[nodiscard]] nlohmann::json to_json(const ClusterBackupStatus& status);

/// The name of a ConfigMap that carries a piece of the encrypted Helm artifact: this, the uid of
/// the ClusterBackup, a dash and the number of the piece.
inline constexpr std::string_view k_payload_name_prefix = "railiance-backup-payload-";

/// Of all pieces together: more is neither written nor taken.
inline constexpr std::uint64_t k_payload_limit_bytes = std::uint64_t{64} << 20U;

/// The encrypted Helm artifact on its way: age ciphertext, cut into ConfigMaps (binaryData key
/// "payload") of our namespace, to be joined in this order.
struct HelmPayload {
  std::vector<std::string> config_maps;
  std::uint64_t size_bytes = 0; ///< Of the whole ciphertext.
  std::string sha256;           ///< Of the whole ciphertext, lower-case hex.
  /// For whom it is encrypted (age::recipients_sha256); empty: a controller that does not say it.
  std::string recipients_sha256 = {};
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
  std::vector<ServerEntry> servers; ///< Goes into the manifest. Empty: there is one server.
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

/// The agent's report. Conditions: Succeeded, SnapshotTaken, Proven, ArtifactsStored, Verified,
/// Pruned, Replicated.
struct NodeBackupStatus : RunResults {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  std::string agent_id;    ///< Pod UID of the agent that took the order.
  std::string instance_id; ///< Of the process that took it: a pod's container may restart.
  std::optional<SystemTime> start_time;
  std::optional<SystemTime> heartbeat_time; ///< Renewed at least every 15 s while the run goes on.
  std::optional<SystemTime> completion_time;
  std::optional<Progress> progress;
  std::vector<std::string> pruned; ///< Run ids of the sets that were removed, at most 100.
};

/// Made by the controller, owned by its ClusterBackup; not for people to make.
struct NodeBackup {
  ObjectMeta meta;
  NodeBackupSpec spec;
  NodeBackupStatus status;

  /// Succeeded is True or False.
  [[nodiscard]] bool finished() const { return has_ended(status.conditions); }
  /// An agent has taken the order.
  [[nodiscard]] bool accepted() const { return status.start_time.has_value(); }
};

/// Errors: corrupt, invalid_argument.
[[nodiscard]] Result<NodeBackup> node_backup_from_json(const nlohmann::json& object);
[[nodiscard]] nlohmann::json to_json(const NodeBackup& order);
[[nodiscard]] nlohmann::json to_json(const NodeBackupStatus& status);

// The mark that a run was begun for a ClusterBackup. The status says so, too; but backups of
// objects (Velero) and exports leave the status out and keep annotations, so the mark tells a
// request that came back from a new one, which would be carried out.

/// Its value is NAME/RUNID: a copy of the object under another name is a request of its own.
inline constexpr std::string_view k_run_annotation = "backup.railiance.io/run";

/// The reason of Succeeded where a request came back. It is none of a run, and no agent reports it.
inline constexpr std::string_view k_not_repeated = "NotRepeated";

/// The id of the run that was begun by what the mark says; nothing without a mark for that name.
[[nodiscard]] std::optional<std::string> marked_run(const ObjectMeta& meta);

/// A run was begun, and the status that told of it is lost.
[[nodiscard]] bool came_back(const ClusterBackup& backup);

/// It came back, and has ended without a run.
[[nodiscard]] bool is_not_repeated(const ClusterBackup& backup);

/// The reason of Succeeded where a request of the schedule waited for so long that a newer one asks
/// for the same. None of a run either.
inline constexpr std::string_view k_superseded = "Superseded";

/// It waited for a newer one, and has ended without a run.
[[nodiscard]] bool is_superseded(const ClusterBackup& backup);

/// A merge patch that puts the mark on the object with that uid.
[[nodiscard]] nlohmann::json
run_mark(const std::string& name, const std::string& uid, const std::string& run_id);

} // namespace rb::api

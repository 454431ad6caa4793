// ClusterBackup (backup.railiance.io/v1alpha1): one run. Source of the fields: crds/.
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

struct ClusterBackupSpec {
  std::vector<ArtifactType> artifacts{k_all_artifacts.begin(), k_all_artifacts.end()};
  /// spec.retention.keepLast, 1..1000; absent: what the cluster is configured to keep.
  std::optional<std::int32_t> keep_last;
  /// spec.trigger is "Schedule". Sets that were asked for otherwise never push out those of the
  /// schedule.
  bool scheduled = false;
  std::int32_t deadline_seconds = 3600; ///< From startTime to the end of the run.
  std::string node_name;                ///< Empty: any server node with an agent.
  std::optional<std::int32_t> ttl_seconds_after_finished;
  Verification verification = Verification::snapshot;
  /// What was asked for in words that only a newer release knows. Never written.
  std::vector<std::string> unknown;
};

struct ClusterBackupStatus {
  std::int64_t observed_generation = 0;
  std::vector<Condition> conditions;
  std::string run_id; ///< The <ts> of the file names; set once, at the start.
  std::optional<SystemTime> start_time;
  std::optional<SystemTime> completion_time;
  std::string node_name;
  std::vector<ArtifactStatus> artifacts;
  std::vector<MissingArtifact> missing;
  std::uint64_t total_size_bytes = 0; ///< Sum over artifacts; the Size column.
  std::optional<EtcdStatus> etcd;
  std::optional<HelmStatus> helm;
  std::string signing_key; ///< Public key of the host that signs the manifest, "RW…".
};

struct ClusterBackup {
  ObjectMeta meta;
  ClusterBackupSpec spec;
  ClusterBackupStatus status;

  /// Succeeded is True or False: the run has ended and its status will not change any more.
  [[nodiscard]] bool finished() const;
};

/// Defaults are those of the CRD. Errors: corrupt. Words of a newer release are no error.
[[nodiscard]] Result<ClusterBackup> cluster_backup_from_json(const nlohmann::json& object);

/// An object to be created: apiVersion, kind, metadata, spec.
[[nodiscard]] nlohmann::json to_json(const ClusterBackup& backup);

/// The `status` alone, for a write to /status.
[[nodiscard]] nlohmann::json to_json(const ClusterBackupStatus& status);

} // namespace rb::api

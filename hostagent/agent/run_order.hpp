// What a run is asked to do, and what came of it.
#pragma once

#include "api/node_backup.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rb::agent {

/// The part of a NodeBackup that a run needs; nothing in it depends on an API server.
struct RunOrder {
  std::string run_id;
  std::string cluster_backup_name;
  std::string cluster_backup_uid;
  std::vector<api::ArtifactType> artifacts;
  std::int32_t keep_last = 7;
  std::optional<api::HelmPayload> helm_payload;
  std::optional<api::HelmStatus> helm;
  std::vector<api::MissingArtifact> missing; ///< Known by the controller.
  std::int64_t generation = 0;
  api::Verification verification = api::Verification::snapshot;
  SystemTime deadline{}; ///< 1970: none.

  [[nodiscard]] bool wants(api::ArtifactType type) const;
};

[[nodiscard]] RunOrder run_order_from(const api::NodeBackup& order);

/// How the directory looks after a run: for the metrics.
struct DiskSummary {
  std::size_t complete_sets = 0;
  std::size_t incomplete_sets = 0;
  std::size_t damaged_sets = 0;
  std::uint64_t free_bytes = 0;
};

struct RunReport {
  api::Reason reason = api::Reason::internal_error; ///< That of Succeeded.
  std::string message;
  /// Conditions (Succeeded among them), artifacts, missing, etcd, pruned, completion time.
  api::NodeBackupStatus status;
  std::map<std::string, std::chrono::duration<double>> step_durations;
  std::optional<DiskSummary> disk;

  [[nodiscard]] bool succeeded() const { return reason == api::Reason::completed; }
};

} // namespace rb::agent

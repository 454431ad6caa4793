// What a run is asked to do, and what came of it.
#pragma once

#include "api/backup.hpp"

#include <array>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::agent {

/// The part of a NodeBackup that a run needs; nothing in it depends on an API server.
struct RunOrder {
  std::string run_id;
  std::string cluster_backup_name;
  std::string cluster_backup_uid;
  std::vector<api::ArtifactType> artifacts;
  std::int32_t keep_last = 7;
  bool manual = false;
  std::optional<api::HelmPayload> helm_payload;
  std::optional<api::HelmStatus> helm;
  std::vector<api::MissingArtifact> missing; ///< Known by the controller.
  std::int64_t generation = 0;
  api::Verification verification = api::Verification::snapshot;
  SystemTime deadline{}; ///< 1970: none.

  [[nodiscard]] bool wants(api::ArtifactType type) const;
};

[[nodiscard]] RunOrder run_order_from(const api::NodeBackup& order);

/// The steps that RunReport::step_durations knows.
inline constexpr std::array<std::string_view, 5> k_timed_steps{
    "Preparing", "Etcd", "ProvingSnapshot", "StoringArtifacts", "Pruning"};

struct RunReport {
  api::Reason reason = api::Reason::internal_error; ///< That of Succeeded.
  std::string message;
  /// Conditions (Succeeded among them), artifacts, missing, etcd, pruned, completion time.
  api::NodeBackupStatus status;
  std::map<std::string, std::chrono::duration<double>> step_durations;
  bool directory_used = false; ///< It could be opened.

  [[nodiscard]] bool succeeded() const { return reason == api::Reason::completed; }
};

} // namespace rb::agent

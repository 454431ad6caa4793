// BackupStatus (backup.railiance.io/v1alpha1): the one standing object that says whether this
// cluster has a current backup. Its name is "cluster". The controller keeps the conditions, each
// agent its own entry of `nodes` (server-side apply). Source of the fields: crds/.
#pragma once

#include "api/condition.hpp"
#include "api/meta.hpp"
#include "api/node_facts.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::api {

inline constexpr std::string_view k_backup_status_kind = "BackupStatus";
inline constexpr std::string_view k_backup_status_name = "cluster";

namespace condition_type {
inline constexpr std::string_view k_backup_current = "BackupCurrent";
} // namespace condition_type

/// As in crds/ (controllerStartTimes, maxItems).
inline constexpr std::size_t k_controller_starts_limit = 5;

/// The last run that the controller knows to have ended.
struct LastRun {
  std::string name; ///< Of the ClusterBackup.
  std::string run_id;
  SystemTime completion_time{};
  bool succeeded = false;
  std::string reason; ///< The word of Reason.

  bool operator==(const LastRun&) const = default;
};

struct BackupStatusStatus {
  std::vector<Condition> conditions;
  /// When the controller last looked; what is said holds for then. A reader takes an old one for
  /// Unknown: nobody is there to change the condition.
  std::optional<SystemTime> observed_time;
  std::string schedule;  ///< Cron, as the schedule has it; empty: none.
  std::string time_zone; ///< Of `schedule`.
  std::optional<SystemTime>
      next_schedule_time;                      ///< Where it is known: zones other than UTC are not.
  std::int64_t expected_interval_seconds = 0;  ///< 0: not known.
  std::optional<SystemTime> last_success_time; ///< Completion of the newest complete backup.
  std::string last_success_run_id;
  std::string last_success_node;
  std::optional<LastRun> last_run;
  /// The newest starts of controllers, oldest first: many of them close together are one that does
  /// not stay up.
  std::vector<SystemTime> controller_starts;
  std::vector<NodeFacts> nodes;
};

struct BackupStatus {
  ObjectMeta meta;
  BackupStatusStatus status;
};

/// An entry of `nodes` that cannot be read is left out. Errors: corrupt.
[[nodiscard]] Result<BackupStatus> backup_status_from_json(const nlohmann::json& object);

/// The object to be created: no status.
[[nodiscard]] nlohmann::json new_backup_status();

/// For server-side apply to /status by the controller: all of its fields, `nodes` not among them.
[[nodiscard]] nlohmann::json controller_apply(const BackupStatusStatus& status);

/// For server-side apply to /status by an agent: its own entry.
[[nodiscard]] nlohmann::json agent_apply(const NodeFacts& facts);

} // namespace rb::api

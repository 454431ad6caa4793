// All that `status` shows, gathered by the command and told here as text or JSON. Pure.
#pragma once

#include "cli/presence.hpp"
#include "status/current.hpp"

#include "api/cluster_backup.hpp"
#include "api/standing.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::cli {

struct Overview {
  SystemTime now{};
  status::Current current;
  std::optional<api::BackupStatusStatus> standing; ///< Absent: it could not be read.
  std::vector<api::ClusterBackup> backups;
  std::string backups_problem; ///< Why `backups` could not be read; empty when they could.
};

/// What holds now: judged by what the API has at this moment, not by what the controller wrote when
/// it last looked; but what only the controller can know (who is silent, for how long) is believed.
[[nodiscard]] status::Current judge_now(const api::BackupStatusStatus& standing,
                                        const std::vector<api::ClusterBackup>& backups,
                                        Presence controller,
                                        SystemTime now);

/// The newest run that ended and says something of the cluster's backups.
[[nodiscard]] std::optional<api::LastRun> last_run(const api::BackupStatusStatus& standing,
                                                   const std::vector<api::ClusterBackup>& backups);

/// The run that goes on, or null.
[[nodiscard]] const api::ClusterBackup* running(const Overview& overview);

/// The condition Replicated of the newest backup that has it, or null.
[[nodiscard]] const api::Condition* offsite(const Overview& overview);

/// What to do about it, or "".
[[nodiscard]] std::string advice(const status::Current& current);

/// One look at all of it. What is not known is called "unknown". With `colour`, words that matter
/// are green, red or yellow.
[[nodiscard]] std::string describe(const Overview& overview, bool colour);

/// The same for scripts; what is not known is null.
[[nodiscard]] nlohmann::json to_json(const Overview& overview);

} // namespace rb::cli

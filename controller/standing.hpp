// What the controller says of the whole: the fields and the condition of BackupStatus, and the
// metrics that go with them. Pure.
#pragma once

#include "controller/observed.hpp"
#include "status/current.hpp"
#include "status/families.hpp"

#include "api/standing.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace rb::controller {

/// What the installation expects, from the flags.
struct Expectation {
  std::string schedule; ///< Cron; empty: none.
  std::string time_zone;
  std::chrono::seconds interval{0}; ///< Wins over the schedule's longest pause; 0: not given.
};

/// How often a backup is expected; 0: not known.
[[nodiscard]] std::chrono::seconds expected_interval(const Expectation& expectation,
                                                     SystemTime now);

/// What the store has seen of BackupStatus, of the agents, and of the runs.
struct StandingView {
  std::vector<status::NodeSeen> nodes;
  std::vector<std::string> agent_nodes;   ///< Nodes that have a pod of the agent.
  std::vector<api::Condition> conditions; ///< As they are in the object.
  std::optional<api::LastRun> last_run;
  std::optional<status::ActiveRun> active_run;
  std::vector<SystemTime> controller_starts; ///< As they are in the object.
  bool last_prune_failed = false;            ///< Of the last run.
  bool exists = false;                       ///< The object is there.
};

/// The run that goes on, from what stands in its objects, so that a controller that restarts judges
/// as the one before. Nothing where there is none.
[[nodiscard]] std::optional<status::ActiveRun> active_run_of(const Observed& world);

/// `view` without nodes that are gone: no pod of the agent there, and silent for a day.
[[nodiscard]] std::vector<status::NodeSeen> living_nodes(const StandingView& view);

/// The fields that the controller writes; the condition keeps its transition time while its status
/// stays.
[[nodiscard]] api::BackupStatusStatus
standing_status(const StandingView& view, const Expectation& expectation, SystemTime now);

/// `starts` with one more, the newest k_controller_starts_limit of them, oldest first.
[[nodiscard]] std::vector<SystemTime> with_start(std::vector<SystemTime> starts, SystemTime start);

/// Whether `next` says anything that `written` does not; its time of observation does not count.
[[nodiscard]] bool says_more(const api::BackupStatusStatus& next,
                             const api::BackupStatusStatus& written);

/// railiance_backup_current, …_expected_interval_seconds, …_controller_last_run_state and so on,
/// and the metrics of all living nodes.
[[nodiscard]] std::vector<status::Family>
standing_families(const StandingView& view, const Expectation& expectation, SystemTime now);

} // namespace rb::controller

// Is there a current backup? The decision behind the condition BackupCurrent, in one place for the
// controller, its metrics and the operator's command. Pure: no I/O, no clock.
// True and False are said only when they are proven by facts that are fresh; all else is Unknown.
#pragma once

#include "api/backup.hpp"
#include "api/backup_status.hpp"
#include "api/meta.hpp"
#include "base/error.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rb::status {

/// The reasons of BackupCurrent. They are part of the API: scripts match on them.
enum class CurrentReason {
  current, ///< True.
  // False
  never_ran,   ///< There is no complete backup on any node, and there was no attempt.
  stale,       ///< The newest complete backup is older than 1.5 times the expected interval.
  last_failed, ///< The newest attempt failed; nothing of it can be restored from.
  incomplete,  ///< The newest attempt left something out.
  // Unknown
  agent_unavailable,      ///< No agent has reported yet.
  facts_stale,            ///< No agent has reported lately, so nobody knows what the disk holds.
  clock_anomaly,          ///< A clock is wrong: ages mean nothing.
  no_expected_interval,   ///< There is no schedule: nobody said how old a backup may be.
  run_stalled,            ///< A backup is young enough, but the run at work does not get on.
  controller_restarting,  ///< A backup is young enough, but the controller does not stay up.
  controller_unavailable, ///< Nobody has judged lately (said by readers, never written).
};

/// The CamelCase word ("NeverRan").
[[nodiscard]] std::string_view to_string(CurrentReason reason);
[[nodiscard]] api::ConditionStatus status_of(CurrentReason reason);
/// current 0, last_failed 1, incomplete 3, never_ran 4, stale 9; 8 for all that is Unknown.
[[nodiscard]] ExitCode exit_code_for(CurrentReason reason);
/// Nothing for a word of a newer release.
[[nodiscard]] std::optional<CurrentReason> parse_current_reason(std::string_view word);

/// What one node said, and how long ago this process saw it change (never the node's clock).
struct NodeSeen {
  api::NodeFacts facts;
  std::chrono::seconds silence{0};
  bool has_agent = true; ///< A pod of the agent is there, ready or not: the node was not removed.
};

/// The end of a run as BackupStatus has it. Nothing: it has not ended, or there was none (the
/// request came back, or is superseded).
[[nodiscard]] std::optional<api::LastRun> ended_run(const api::ClusterBackup& backup);

/// What ended in a time that is still to come ended while a clock was ahead. Ordered by its time it
/// would be the newest for as long as it was ahead, years maybe, and hide all that ends meanwhile.
[[nodiscard]] bool is_to_come(SystemTime time, SystemTime now);

/// The request named a node on which there is no server of this cluster, or none with a datastore,
/// and nothing was ordered: that says nothing of the cluster's backups. `agent_nodes`: where there
/// are agents, besides those of `nodes`.
[[nodiscard]] bool named_no_server(const api::ClusterBackup& backup,
                                   const std::vector<api::NodeFacts>& nodes,
                                   const std::vector<std::string>& agent_nodes = {});

/// A run that has not ended, or the oldest request that waits for its turn.
struct ActiveRun {
  std::string name; ///< Of the ClusterBackup.
  /// When it was last seen to do anything, by what stands in the objects: that outlives the
  /// controller.
  SystemTime last_progress{};
  std::optional<SystemTime> deadline; ///< Nothing before its start.
};

struct CurrentInput {
  SystemTime now{};
  std::chrono::seconds expected_interval{0}; ///< 0: not known.
  std::chrono::seconds facts_limit{300};     ///< Facts that are silent for longer prove nothing.
  std::vector<NodeSeen> nodes;
  std::optional<api::LastRun> last_run;
  std::optional<ActiveRun> active_run;
  /// The start of the run that goes on: of several servers one may have failed in it already.
  std::optional<SystemTime> running_since;
  std::vector<SystemTime> controller_starts;
};

struct Current {
  CurrentReason reason = CurrentReason::agent_unavailable;
  std::string message; ///< For people.
  /// The newest complete backup that fresh facts speak of.
  std::optional<SystemTime> last_success_time;
  std::string last_success_run_id;
  std::string last_success_node;
};

/// No word of an agent for that long, or this far past the deadline: the run does not get on.
inline constexpr std::chrono::seconds k_stalled_after{600};
inline constexpr std::chrono::seconds k_overdue_after{60};
[[nodiscard]] bool is_stalled(const ActiveRun& run, SystemTime now);

/// An upgrade is one start, a controller that runs out of memory in a run has three; one in
/// CrashLoopBackOff has these within ten minutes, and keeps them.
inline constexpr std::size_t k_many_starts = 4;
inline constexpr std::chrono::seconds k_starts_window{1800};
[[nodiscard]] std::size_t recent_starts(const std::vector<SystemTime>& starts, SystemTime now);

/// How old a backup may be: 1.5 times the interval.
[[nodiscard]] std::chrono::seconds allowed_age(std::chrono::seconds expected_interval);

/// One set is enough for True. Where other servers lack one, the message says so.
[[nodiscard]] Current judge(const CurrentInput& input);

/// The entries of the object, each silent for as long as it was when the controller last looked.
[[nodiscard]] std::vector<NodeSeen> nodes_as_read(const api::BackupStatusStatus& status);

/// The servers with embedded etcd, and which of them have a set of their own that is young enough.
struct Copies {
  std::size_t servers = 0;
  std::size_t current = 0;
  std::vector<std::string> without; ///< Nodes, as in `nodes`.
};
[[nodiscard]] Copies copies_of(const CurrentInput& input);

/// What a reader may believe of the object at `now`: what it says, or that nobody has looked for
/// `limit`.
[[nodiscard]] Current as_read(const api::BackupStatusStatus& status,
                              SystemTime now,
                              std::chrono::seconds limit = std::chrono::seconds(300));

} // namespace rb::status

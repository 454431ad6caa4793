// BackupStatus (backup.railiance.io/v1alpha1): the one object, called "cluster", that says whether
// this cluster has a current backup. The controller keeps the conditions, each agent its own entry
// of `nodes` (server-side apply). Source of the fields: crds/.
#pragma once

#include "api/artifacts.hpp"
#include "api/meta.hpp"
#include "api/servers.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rb::api {

inline constexpr std::string_view k_backup_status_kind = "BackupStatus";
inline constexpr std::string_view k_backup_status_name = "cluster";
/// An annotation of the object, a time: who sets it asks for a test message to each receiver.
inline constexpr std::string_view k_notify_test_annotation = "backup.railiance.io/notify-test";
/// Of NodeFacts::last_success_proof: a server was booted from the set, and served what is in it.
inline constexpr std::string_view k_proven = "Proven";

/// How an attempt at a backup ended. `none`: there was none yet.
enum class AttemptResult { none, succeeded, incomplete, failed };

/// "None", "Succeeded", "Incomplete", "Failed".
[[nodiscard]] std::span<const Word<AttemptResult>> words_of(AttemptResult);

/// Where the server of a node keeps the cluster's state. `unknown`: nobody said, or the word is one
/// of a newer release. `none`: that server has no datastore, as a control plane without etcd.
enum class Datastore { unknown, embedded_etcd, sqlite, external, none };

/// "EmbeddedEtcd", "SQLite", "External", "None"; empty for unknown.
[[nodiscard]] std::span<const Word<Datastore>> words_of(Datastore);

/// Of one kind of artifact.
struct ArtifactFacts {
  SystemTime last_success_time{};         ///< Of the newest set that holds it whole; 0: none does.
  std::uint64_t size_bytes = 0;           ///< There.
  std::uint64_t reference_size_bytes = 0; ///< The median of the whole sets before; 0: none.

  bool operator==(const ArtifactFacts&) const = default;
};

/// What one server node knows of its backups, read off its backup directory: the disk is the truth.
/// An entry of BackupStatus.status.nodes; becomes metrics, too. Times are 0 where it never
/// happened. Numbers of what is not known are 0.
struct NodeFacts {
  std::string node_name;
  std::string agent_id;     ///< Pod UID; empty when no agent read them.
  SystemTime report_time{}; ///< When they were read, by the node's clock.
  std::string version;      ///< Of the program that read them.
  Datastore datastore = Datastore::unknown;
  Member member = Member::unknown; ///< Of the embedded etcd.
  std::string address;             ///< Node IP; empty: not known.
  std::string public_key;          ///< Of the host's signatures, "RW…"; empty: there is none yet.

  std::string last_success_run_id;      ///< Of the newest complete set with the datastore.
  SystemTime last_success_time{};       ///< Its completion.
  std::string last_success_k3s_version; ///< Of the server that it was made of; may be empty.
  /// What came of booting a server from it when it was made: "Proven", or the word of api::Reason.
  /// Empty: nobody asked for it.
  std::string last_success_proof;
  SystemTime last_attempt_time{}; ///< End of the last attempt, whatever came of it.
  AttemptResult last_attempt_result = AttemptResult::none;
  std::string last_attempt_reason; ///< The word of api::Reason.

  std::map<ArtifactType, ArtifactFacts> artifacts;
  std::int64_t etcd_revision = 0; ///< Of the newest whole set with a snapshot.
  std::int64_t etcd_keys = 0;
  std::int64_t helm_releases = 0;    ///< In the newest Helm artifact.
  std::int64_t helm_undecodable = 0; ///< Stored objects in it that are no releases.
  std::int64_t recipients = 0;       ///< Of the newest complete set.
  std::string recipient_rule;        ///< Of .sops.yaml, that gave them; as in its manifest.
  /// Sets that others open than those whom .sops.yaml names now, more or fewer; also by old files
  /// that a rewrap could not remove.
  std::int64_t old_recipient_sets = 0;

  std::int64_t complete_sets = 0;
  std::int64_t incomplete_sets = 0;
  std::int64_t damaged_sets = 0;
  std::int64_t untrusted_sets = 0;  ///< Not what the host signed; damaged or not.
  std::int64_t untrusted_files = 0; ///< The same of program, guide and stamp beside them.
  std::uint64_t retained_bytes = 0;
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t disk_size_bytes = 0;
  std::uint64_t next_run_bytes = 0; ///< What the next run should find free.

  SystemTime last_drill_time{};
  std::string last_drill_result; ///< "Passed", "Damaged", …; empty: there was none.
  std::string last_drill_run_id;
  std::int64_t last_drill_seconds = 0;
  bool last_drill_booted = false; ///< A server was booted from the set.
  /// Of the last check of all sets.
  SystemTime last_verify_time{};
  std::string last_verify_result; ///< As that of a drill; empty: there was none.
  std::int64_t last_verify_sets = 0;
  std::int64_t last_verify_bad_sets = 0; ///< Damaged, not the host's, or not opened by the key.
  SystemTime last_restore_time{};
  /// The controller had not looked since then, and this node's agent told it. Written apart.
  SystemTime controller_missed_since{};
  /// The clock is behind the newest set: ages mean nothing.
  bool clock_anomaly = false;

  bool operator==(const NodeFacts&) const = default;
};

/// What is 0 or empty is left out. Artifacts and results that only a newer release knows are passed
/// over.
void fields(JsonFields& json, NodeFacts& facts);
[[nodiscard]] nlohmann::json to_json(const NodeFacts& facts);

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

/// The last that a receiver was told about one topic.
struct ToldTopic {
  std::string topic; ///< "run", "start", "current", "offsite", "drill/NODE", "verify/NODE",
                     ///< "test".
  SystemTime time{}; ///< Of what was told, not of the telling.
  bool problem = false;

  bool operator==(const ToldTopic&) const = default;
};

/// As in crds/ (topics, maxItems).
inline constexpr std::size_t k_told_topics_limit = 64;

/// What one receiver of notices has been told: so that nothing is told twice, or lost, when another
/// controller goes on. No address and no secret.
struct ReceiverState {
  std::string receiver; ///< "DeadMan" or "Webhook".
  SystemTime since{};   ///< What happened before it was set up is not told.
  std::vector<ToldTopic> topics;
  std::optional<SystemTime> failing_since; ///< Absent: the last message arrived, or there was none.
  std::string last_error;                  ///< Why it fails.

  bool operator==(const ReceiverState&) const = default;
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
  std::vector<ReceiverState> notified;
};

struct BackupStatus {
  ObjectMeta meta;
  BackupStatusStatus status;
};

/// An entry of `nodes` that cannot be read is left out. Errors: corrupt.
[[nodiscard]] Result<BackupStatus> backup_status_from_json(const nlohmann::json& object);

/// The object to be created: no status.
[[nodiscard]] nlohmann::json new_backup_status();

/// For server-side apply to /status by the controller: all of its fields, `nodes` and
/// `notified` not among them.
[[nodiscard]] nlohmann::json controller_apply(const BackupStatusStatus& status);

/// For server-side apply to /status by the controller, apart from the rest: `notified`.
[[nodiscard]] nlohmann::json notified_apply(const std::vector<ReceiverState>& notified);
[[nodiscard]] nlohmann::json to_json(const std::vector<ReceiverState>& notified);

/// For server-side apply to /status by an agent, apart from its facts: controller_missed_since of
/// its entry; 0: it is nothing.
[[nodiscard]] nlohmann::json missed_apply(const std::string& node_name, SystemTime missed_since);

/// For server-side apply to /status by an agent: its own entry.
[[nodiscard]] nlohmann::json agent_apply(const NodeFacts& facts);

} // namespace rb::api

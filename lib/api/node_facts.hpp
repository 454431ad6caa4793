// What one server node knows of its backups, read off its backup directory: the disk is the truth.
// Travels in BackupStatus.status.nodes, and becomes metrics. Source of the fields: crds/.
#pragma once

#include "api/artifact_type.hpp"
#include "base/clock.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace rb::api {

/// How an attempt at a backup ended. `none`: there was none yet.
enum class AttemptResult { none, succeeded, incomplete, failed };

/// "None", "Succeeded", "Incomplete", "Failed".
[[nodiscard]] std::string_view to_string(AttemptResult result);

/// Where the server of a node keeps the cluster's state. `unknown`: nobody said, or the word is one
/// of a newer release. `none`: that server has no datastore, as a control plane without etcd.
enum class Datastore { unknown, embedded_etcd, sqlite, external, none };

/// "EmbeddedEtcd", "SQLite", "External", "None"; empty for unknown.
[[nodiscard]] std::string_view to_string(Datastore datastore);

/// Of one kind of artifact.
struct ArtifactFacts {
  SystemTime last_success_time{};         ///< Of the newest set that holds it whole; 0: none does.
  std::uint64_t size_bytes = 0;           ///< There.
  std::uint64_t reference_size_bytes = 0; ///< The median of the whole sets before; 0: none.

  bool operator==(const ArtifactFacts&) const = default;
};

/// Times are 0 where it never happened. Numbers of what is not known are 0.
struct NodeFacts {
  std::string node_name;
  std::string agent_id;     ///< Pod UID; empty when no agent read them.
  SystemTime report_time{}; ///< When they were read, by the node's clock.
  std::string version;      ///< Of the program that read them.
  Datastore datastore = Datastore::unknown;

  std::string last_success_run_id; ///< Of the newest complete set with an etcd snapshot.
  SystemTime last_success_time{};  ///< Its completion.
  SystemTime last_attempt_time{};  ///< End of the last attempt, whatever came of it.
  AttemptResult last_attempt_result = AttemptResult::none;
  std::string last_attempt_reason; ///< The word of api::Reason.

  std::map<ArtifactType, ArtifactFacts> artifacts;
  std::int64_t etcd_revision = 0; ///< Of the newest whole set with a snapshot.
  std::int64_t etcd_keys = 0;
  std::int64_t helm_releases = 0;    ///< In the newest Helm artifact.
  std::int64_t helm_undecodable = 0; ///< Stored objects in it that are no releases.
  std::int64_t recipients = 0;       ///< Of the newest complete set.
  std::string recipient_rule;        ///< Of .sops.yaml, that gave them; as in its manifest.

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
  SystemTime last_restore_time{};
  /// The clock is behind the newest set: ages mean nothing.
  bool clock_anomaly = false;

  bool operator==(const NodeFacts&) const = default;
};

/// An entry of BackupStatus.status.nodes. What is 0 or empty is left out.
[[nodiscard]] nlohmann::json to_json(const NodeFacts& facts);

/// Unknown artifacts and results of a newer release are skipped. Errors: corrupt.
[[nodiscard]] Result<NodeFacts> node_facts_from_json(const nlohmann::json& json);

} // namespace rb::api

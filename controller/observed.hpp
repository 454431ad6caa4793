// Everything that a decision of the controller depends on. A plain value: tests write it down.
#pragma once

#include "api/cluster_backup.hpp"
#include "api/node_backup.hpp"
#include "api/node_facts.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace rb::controller {

/// A pod of the agent's DaemonSet.
struct Agent {
  std::string pod;
  std::string node;
  bool ready = false;

  bool operator==(const Agent&) const = default;
};

/// Why no run can be encrypted at present.
struct RecipientsProblem {
  api::Reason reason = api::Reason::recipient_missing; ///< recipient_missing or recipient_invalid.
  std::string message;
};

/// What the Helm step of a run gave. `payload` may come together with `missing`: then some releases
/// could not be decoded and the others are in it.
struct HelmOutcome {
  std::optional<api::HelmPayload> payload;
  std::optional<api::HelmStatus> status;
  std::optional<api::MissingArtifact> missing;
};

/// What only this process knows of a run. Lost with the process: then the step is done again.
struct RunMemory {
  std::optional<HelmOutcome> helm;
  /// The attempt at the Helm step that this process wrote into the status, or tried to; 0: none.
  int helm_begun = 0;
  std::optional<std::string> order_refused; ///< The API server refuses the order, and why.
  bool ordered = false;    ///< There is or was an order, whether or not the status says so yet.
  bool order_gone = false; ///< There was an order, and somebody removed it.
};

struct Settings {
  std::int32_t keep_last = 7;               ///< Where a request does not say it.
  std::chrono::seconds agent_wait{60};      ///< For a ready agent, and for it to take the order.
  std::chrono::seconds heartbeat_limit{90}; ///< Then the agent is held for lost.
  std::chrono::seconds deadline_grace{15};  ///< So that the agent can report its own deadline.
  /// For the agent to tell what became of a run that began before this process knew of it: it may
  /// have ended long ago, and the cluster may just have been restored.
  std::chrono::seconds resume_wait{300};
  /// The snapshot waits for the Helm values no longer than this, nor than a quarter of the
  /// deadline.
  std::chrono::seconds helm_limit{300};
};

struct Observed {
  SystemTime now{};
  Settings settings;
  std::map<std::string, api::ClusterBackup> backups; ///< By uid.
  std::string
      newest_run_id; ///< Of all runs ever seen, also of objects that are gone. May be empty.
  std::map<std::string, api::NodeBackup> orders; ///< By name, which is the backup's uid.
  /// How long ago this process saw each order's heartbeat or acceptance change, by name. Judged
  /// here and not from the agent's clock, as with a Lease.
  std::map<std::string, std::chrono::seconds> order_silence;
  /// How long this process has known of each unfinished backup, by uid. After a restore of etcd a
  /// run that had ended is unfinished again: then it counts from there.
  std::map<std::string, std::chrono::seconds> unfinished_for;
  std::map<std::string, Agent> agents; ///< By pod name.
  /// What the agents say of their nodes, by node; absent: that agent has not said anything yet.
  std::map<std::string, api::Datastore> datastores;
  std::optional<RecipientsProblem> recipients_problem;
  std::map<std::string, RunMemory> memory; ///< By uid of the backup.
  std::set<std::string> payload_runs;      ///< Uids for which payload ConfigMaps may exist.
};

} // namespace rb::controller

// What is to be done next, decided from what is observed, which is a plain value that tests write
// down. Pure: no I/O, no clock, no log.
// Guarantees: one run at a time in the cluster, the oldest request first, but those last whose
// status the API server does not take; nothing is made for a run before its run id is in the
// status; the Helm step is begun twice at most, whatever becomes of the process, and the order goes
// out all the same; a run that has ended is never started again, also where its object came back
// without its status (Velero, `kubectl apply` of an export); of requests of the schedule that
// waited for over an hour the newest is carried out alone; and of its status only the condition
// Replicated still changes, which the agents report later; the same observation gives the same
// plan, and a plan that was carried out leads to a plan without actions. Of a run on several
// servers: which servers, is in the status before the first order is made, and stays; each server
// has one order at most, all with the same run id, deadline and payload; each ends by its own
// report or is given up by the same checks as a run on one server, and none of that ends or holds
// up another one's; the run ends when each has ended, and has succeeded if one of them holds a
// whole set.
#pragma once

#include "api/backup.hpp"
#include "api/backup_status.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace rb::controller {

/// A process that dies in the Helm step may die of it: two are enough.
inline constexpr int k_helm_step_limit = 2;

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

/// What an agent says of the server of its node.
struct ServerFacts {
  api::Datastore datastore = api::Datastore::unknown;
  api::Member member = api::Member::unknown;
  std::string address = {};
  std::string public_key = {};

  bool operator==(const ServerFacts&) const = default;
};

/// What only this process knows of a run. Lost with the process: then the step is done again. What
/// is of the order alone is kept for each order.
struct RunMemory {
  std::optional<HelmOutcome> helm;
  /// The attempt at the Helm step that this process wrote into the status, or tried to; 0: none.
  int helm_begun = 0;
  std::optional<std::string> order_refused; ///< The API server refuses the order, and why.
  std::string order_trouble;                ///< Why it could not be made when that was tried last.
  bool status_refused = false;              ///< The API server refuses the status again and again.
  bool ordered = false;    ///< There is or was an order, whether or not the status says so yet.
  bool order_gone = false; ///< There was an order, and somebody removed it.
  /// The version of the order that the API server gave when it was asked for it, lately.
  std::optional<std::string> asked_version;
};

struct Settings {
  std::int32_t keep_last = 7;               ///< Where a request does not say it.
  std::chrono::seconds agent_wait{60};      ///< For a ready agent, and for it to take the order.
  std::chrono::seconds heartbeat_limit{90}; ///< Then the agent is taken for lost.
  std::chrono::seconds deadline_grace{15};  ///< So that the agent can report its own deadline.
  /// For the agent to tell what became of a run that began before this process knew of it: it may
  /// have ended long ago, and the cluster may just have been restored.
  std::chrono::seconds resume_wait{300};
  /// The snapshot waits for the Helm values no longer than this, nor than a quarter of the
  /// deadline.
  std::chrono::seconds helm_limit{300};
  /// Since when this process knows that sets are copied off-site; nothing: they are not.
  std::optional<SystemTime> offsite_since = std::nullopt;
};

/// Everything that a decision of the controller depends on.
struct Observed {
  SystemTime now{};
  Settings settings;
  std::map<std::string, api::ClusterBackup> backups; ///< By uid.
  std::string
      newest_run_id; ///< Of all runs ever seen, also of objects that are gone. May be empty.
  std::map<std::string, api::NodeBackup> orders; ///< By name (orders.hpp).
  /// How long ago this process saw each order's heartbeat or acceptance change, by name. Judged
  /// here and not from the agent's clock, as with a Lease.
  std::map<std::string, std::chrono::seconds> order_silence;
  /// How long this process has known of each unfinished backup, by uid. After a restore of etcd a
  /// run that had ended is unfinished again: then it counts from there.
  std::map<std::string, std::chrono::seconds> unfinished_for;
  std::map<std::string, Agent> agents; ///< By pod name.
  /// What the agents say of their nodes, by node; absent: that agent has not said anything yet.
  std::map<std::string, ServerFacts> servers;
  std::optional<RecipientsProblem> recipients_problem;
  std::map<std::string, RunMemory> memory; ///< By name of the order: of the first one, the uid.
  std::set<std::string> payload_runs;      ///< Uids for which payload ConfigMaps may exist.
};

/// The note for people when a run has ended (an Event on the ClusterBackup).
struct ResultEvent {
  bool warning = false;
  std::string reason;
  std::string note;
};

/// Write this status of a run that has not ended yet, if the object is still at
/// `resource_version`; then tell the event.
struct StatusPatch {
  std::string name;
  std::string uid;
  std::string resource_version;
  api::ClusterBackupStatus status;
  std::optional<ResultEvent> event;
  int helm_attempt = 0; ///< The attempt at the Helm step that this write announces; 0: none.
};

/// Collect and encrypt the Helm values and lay them into ConfigMaps. The outcome becomes
/// RunMemory::helm. Only after the status says that it was begun.
struct CollectHelm {
  std::string backup_name;
  std::string uid;
  std::string run_id;
  std::chrono::seconds time_limit{300}; ///< With all repetitions.
};

struct CreateOrder {
  api::NodeBackup order;
};

/// What is seen of an order would end the run: it is not there any more, or its agent is silent. A
/// watch may have gone deaf without knowing, so the API server itself is asked. If there is none,
/// that becomes RunMemory::order_gone (a run is never ordered twice), else its version becomes
/// RunMemory::asked_version.
struct ReadOrder {
  std::string name;
};

/// Looks first at the ClusterBackup `owner`: the order stays if that needs it after all.
struct DeleteOrder {
  std::string name;
  std::string uid;
  std::string owner;
  std::string owner_uid;
  bool owner_is_gone = true; ///< Else: it has ended, and only if it has not the order stays.
};

/// Remove the payload ConfigMaps of a run.
struct DeletePayload {
  std::string run_uid;
};

/// A run has ended, and the agents say something new of its copies off-site. Only this condition is
/// written: of what else is in the status the store has dropped most.
struct PatchReplicated {
  std::string name;
  std::string uid;
  api::Condition condition;
};

/// ttlSecondsAfterFinished has passed.
struct DeleteBackup {
  std::string name;
  std::string uid;
};

using Action = std::variant<CollectHelm,
                            CreateOrder,
                            ReadOrder,
                            DeleteOrder,
                            DeletePayload,
                            PatchReplicated,
                            DeleteBackup>;

struct Plan {
  std::vector<StatusPatch> statuses; ///< Carried out before the actions.
  std::vector<Action> actions;
  /// When to look again although nothing was seen to change.
  std::optional<std::chrono::seconds> requeue_after;

  [[nodiscard]] bool empty() const { return statuses.empty() && actions.empty(); }
};

[[nodiscard]] Plan plan(const Observed& observed);

/// The run that is worked on: one that was started, else the oldest request (by creation time, then
/// name). Null when nothing is to be done.
[[nodiscard]] const api::ClusterBackup* active_run(const Observed& observed);

} // namespace rb::controller

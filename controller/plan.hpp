// What is to be done next, decided from what is observed. Pure: no I/O, no clock, no log.
// Guarantees: one run at a time in the cluster, the oldest request first; nothing is made for a run
// before its run id is in the status; the Helm step is begun twice at most, whatever becomes of the
// process, and the order goes out all the same; a run that has ended is never started again, and of
// its status only the condition Replicated still changes, which the agent reports later; the same
// observation gives the same plan, and a plan that was carried out leads to a plan without actions.
#pragma once

#include "controller/observed.hpp"

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace rb::controller {

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

/// The status says that there was an order, but none is seen: ask the API server itself. If there
/// is none, that becomes RunMemory::order_gone; a run is never ordered twice.
struct ConfirmOrderGone {
  std::string name;
};

/// Looks first at the ClusterBackup `owner`: the order stays if that needs it after all.
struct DeleteOrder {
  std::string name;
  std::string uid;
  std::string owner;
  bool owner_is_gone = true; ///< Else: it has ended, and only if it has not the order stays.
};

/// Remove the payload ConfigMaps of a run.
struct DeletePayload {
  std::string run_uid;
};

/// A run has ended, and the agent says something new of its copy off-site. Only this condition is
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
                            ConfirmOrderGone,
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

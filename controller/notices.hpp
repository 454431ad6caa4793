// What the operator is told without asking, decided purely: from what is seen now and what each
// receiver was told last. There is no queue: a receiver that was away for a day is told what holds
// when it is back.
// Guarantees: nothing is told twice; a problem is told once, and once more when it is over (to
// those that want it); what happened before a receiver was set up is not told.
#pragma once

#include "controller/backup_status.hpp"
#include "controller/plan.hpp"
#include "notify/message.hpp"

#include "api/backup_status.hpp"

#include <optional>
#include <string>
#include <vector>

namespace rb::controller {

/// A run that counts: one of the schedule, or one that asks for the datastore. Any other says
/// nothing of the cluster's backups.
struct RunSeen {
  std::string name; ///< Of the ClusterBackup.
  std::string run_id;
  std::string node;
  SystemTime start_time{};
  SystemTime completion_time{}; ///< Of one that has ended.
  bool succeeded = false;
  std::string reason;
  std::string message;
  std::optional<api::Condition> copies; ///< Of one on several servers.
  std::optional<api::Condition> replicated;
};

/// All that notices depend on.
struct NoticeView {
  std::optional<RunSeen> active;  ///< Has begun.
  std::optional<RunSeen> last;    ///< Of those that ended.
  std::optional<RunSeen> copies;  ///< The newest that succeeded, of those on several servers.
  std::optional<RunSeen> offsite; ///< The newest that says something of its copy off-site.
  std::optional<RunSeen> waiting; ///< The oldest, after the last that was copied, not copied yet.
  std::vector<api::NodeFacts> nodes;
  std::optional<api::Condition> current;     ///< BackupCurrent, where it holds now.
  std::chrono::seconds expected_interval{0}; ///< 0: not known.
  std::optional<SystemTime> test_asked;
  std::string cluster; ///< How the operator calls it.
};

/// What is seen of the runs and of the nodes. Runs that ended in a time to come hide no others.
[[nodiscard]] NoticeView
notice_view_of(const Observed& world, const std::vector<api::NodeFacts>& nodes, SystemTime now);

/// What a receiver wants to be told, or can be.
struct Taste {
  bool starts = false;
  bool successes = false;
  bool recoveries = false;
  bool copies = false; ///< Which servers have no set of a run that succeeded.
  bool problems = true;
};

/// What is to be told now, oldest first.
[[nodiscard]] std::vector<notify::Message>
notices(const NoticeView& view, const Taste& taste, const api::ReceiverState& told, SystemTime now);

/// `told` once `message` has arrived. The oldest topics go where there are too many.
[[nodiscard]] api::ReceiverState with_told(api::ReceiverState told, const notify::Message& message);

/// Not told before it has held for so long: what passes by itself wakes nobody.
inline constexpr std::chrono::seconds k_settled_after{900};
/// A copy off-site that has not failed may take so long, by a slow line; or as long as a backup may
/// be old, where that is more.
inline constexpr std::chrono::seconds k_copied_after{std::chrono::hours(24)};

} // namespace rb::controller

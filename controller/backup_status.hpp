// What the controller says of the whole: the fields and the condition of BackupStatus and the
// metrics that go with them, decided purely; and who keeps the object while this process leads.
#pragma once

#include "controller/plan.hpp"
#include "status/current.hpp"
#include "status/families.hpp"

#include "api/backup_status.hpp"
#include "kube/client.hpp"

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace rb::controller {

class Store;

/// What the installation expects, from the flags.
struct Expectation {
  std::string schedule; ///< Cron; empty: none.
  std::string time_zone;
  std::chrono::seconds interval{0}; ///< Wins over the schedule's longest pause; 0: not given.
};

/// How often a backup is expected; 0: not known.
[[nodiscard]] std::chrono::seconds expected_interval(const Expectation& expectation,
                                                     SystemTime now);

/// What the store has seen of BackupStatus, of the agents, and of the runs. Time and interval are
/// not in it yet; controller_starts are those of the object.
struct BackupStatusView : status::CurrentInput {
  std::vector<std::string> agent_nodes;      ///< Nodes that have a pod of the agent.
  std::vector<api::Condition> conditions;    ///< As they are in the object.
  bool last_prune_failed = false;            ///< Of the last run.
  bool last_copies_failed = false;           ///< A server has no set of the last that succeeded.
  std::optional<SystemTime> offsite_waiting; ///< Since when a set waits for its copy off-site.
  bool exists = false;                       ///< The object is there.
};

/// The run that goes on, from what its objects say, so that a controller that restarts judges
/// as the one before. Nothing where there is none.
[[nodiscard]] std::optional<status::ActiveRun> active_run_of(const Observed& world);

/// `view` without nodes that are gone: no pod of the agent there, and silent for a day.
[[nodiscard]] std::vector<status::NodeSeen> living_nodes(const BackupStatusView& view);

// Nodes that are gone for good.

/// A server that is only away for repair keeps its entry.
inline constexpr std::chrono::seconds k_forgotten_after{std::chrono::hours(24 * 30)};

/// Nodes without a pod of the agent that have said nothing for longer than that.
[[nodiscard]] std::vector<std::string> forgotten_nodes(const BackupStatusView& view);

/// Takes their entries out of the object, as it is now. An agent that comes back makes its entry
/// anew. Errors: those of kube::Client; invalid_argument where the list changed in between.
[[nodiscard]] Status remove_nodes(kube::Client& client,
                                  const std::vector<std::string>& names,
                                  const std::stop_token& stop);

/// The fields that the controller writes; the condition keeps its transition time while its status
/// stays.
[[nodiscard]] api::BackupStatusStatus
backup_status_of(const BackupStatusView& view, const Expectation& expectation, SystemTime now);

/// BackupCurrent as it is written, once that agrees with what is judged now: a condition of an hour
/// ago, when the last controller looked, says nothing, and one of a moment ago has no time yet.
[[nodiscard]] std::optional<api::Condition>
settled_current(const BackupStatusView& view, const Expectation& expectation, SystemTime now);

/// `starts` with one more, the newest k_controller_starts_limit of them, oldest first.
[[nodiscard]] std::vector<SystemTime> with_start(std::vector<SystemTime> starts, SystemTime start);

/// Whether `next` says anything that `written` does not; its time of observation does not count.
[[nodiscard]] bool says_more(const api::BackupStatusStatus& next,
                             const api::BackupStatusStatus& written);

/// railiance_backup_current, …_expected_interval_seconds, …_controller_last_run_state and so on,
/// and the metrics of all living nodes.
[[nodiscard]] std::vector<status::Family> backup_status_families(const BackupStatusView& view,
                                                                 const Expectation& expectation,
                                                                 SystemTime now);

struct BackupStatusTimes {
  std::chrono::milliseconds look{std::chrono::seconds(5)};
  /// Readers take an object that is older than five minutes for Unknown (status/current.hpp).
  std::chrono::seconds renew{60};
};

/// Makes the object where it is missing, and renews what the controller says in it.
class BackupStatusReporter {
public:
  /// All references outlive it. `synced` says whether the store has seen all objects.
  BackupStatusReporter(kube::Client& client,
                       const Store& store,
                       const Clock& clock,
                       Expectation expectation,
                       std::function<bool()> synced,
                       BackupStatusTimes times = {});

  /// Begins a term of leadership. Returns at once.
  void start();
  /// Ends it: nothing is written any more when this returns.
  void stop();

  /// One look: writes where there is something to say. Public for tests; used by one thread.
  [[nodiscard]] Status visit(const std::stop_token& stop);

private:
  void run(const std::stop_token& stop);

  kube::Client& m_client;
  const Store& m_store;
  const Clock& m_clock;
  const Expectation m_expectation;
  const std::function<bool()> m_synced;
  const BackupStatusTimes m_times;
  const SystemTime m_process_start;
  api::BackupStatusStatus m_written;
  std::optional<std::chrono::steady_clock::time_point> m_written_at;
  std::jthread m_thread;
};

} // namespace rb::controller

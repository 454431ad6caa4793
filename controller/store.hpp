// The observed world, kept up by the watchers and by the outcomes of our own writes.
// Guarantees: thread-safe; a plan is made from one consistent moment. What a finished run does not
// need any more is dropped, so that memory stays small over years of runs.
#pragma once

#include "controller/backup_status.hpp"
#include "controller/notices.hpp"
#include "controller/plan.hpp"

#include "base/clock.hpp"
#include "kube/watcher.hpp"

#include <nlohmann/json_fwd.hpp>

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace rb::controller {

class Store {
public:
  /// `clock` outlives the store.
  Store(const Clock& clock, Settings settings);

  // What the watchers see. An object that cannot be read is logged and left out.
  void upsert_backup(const nlohmann::json& object) { take_backup(object, Source::watch); }
  void remove_backup(const std::string& uid);
  void upsert_order(const nlohmann::json& object) { take_order(object, Source::watch); }
  void remove_order(const std::string& name);
  void upsert_agent(const nlohmann::json& pod);
  void remove_agent(const std::string& pod);
  void upsert_backup_status(const nlohmann::json& object);
  void remove_backup_status();

  // What our own calls were answered. A watch tells of changes in their order; an answer may be
  // overtaken by the event of a later change, and is left out then.
  void answered_backup(const nlohmann::json& object) { take_backup(object, Source::answer); }
  void answered_order(const nlohmann::json& object) { take_order(object, Source::answer); }
  /// What the API server gave when it was asked for that order alone. False: it cannot be read, and
  /// none was known.
  [[nodiscard]] bool asked_order(const std::string& name, const nlohmann::json& object);

  // What our own actions gave.
  void set_helm(const std::string& uid, HelmOutcome outcome);
  /// Before the write that announces it: its answer may be lost.
  void note_helm_attempt(const std::string& uid, int attempt);
  void set_order_refused(const std::string& name, std::string message);
  void set_order_gone(const std::string& name);
  /// It could not be made, and that is tried again.
  void note_order_trouble(const std::string& name, std::string message);
  /// Whether the status of that backup is refused again and again: then it holds up no other.
  void note_status_refused(const std::string& uid, bool refused) {
    const std::lock_guard lock(m_mutex);
    if (m_world.backups.contains(uid)) {
      m_world.memory[uid].status_refused = refused;
      changed();
    }
  }
  /// The id of a status whose write may have been taken without an answer: it is given to no other.
  void note_run_id(const std::string& run_id);
  void add_payload(const std::string& uid);
  void remove_payload(const std::string& uid);

  /// A new term of leadership: forgets what belonged to the last one and starts all silences anew.
  void begin_term(std::set<std::string> payload_runs);

  /// There is a run to be worked on that lacks an order: the recipients count.
  [[nodiscard]] bool needs_recipients() const;

  [[nodiscard]] Plan make_plan(std::optional<RecipientsProblem> problem);

  /// Runs that have not ended.
  [[nodiscard]] std::size_t unfinished() const;

  /// What is known of the whole; the silence of nodes counts from when this process saw them
  /// change.
  [[nodiscard]] BackupStatusView backup_status() const;

  /// What notices are made of, but for what is judged: `current`, the interval, the name.
  [[nodiscard]] NoticeView notice_view() const;

  /// The latest completion of a run that succeeded.
  [[nodiscard]] std::optional<SystemTime> last_success() const;

  /// Returns when something changed since the last make_plan, `duration` has passed, or `stop`
  /// came.
  void wait(std::chrono::milliseconds duration, const std::stop_token& stop);

private:
  enum class Source { watch, answer };

  void changed();
  void take_backup(const nlohmann::json& object, Source source);
  void take_order(const nlohmann::json& object, Source source);
  void put_locked(api::ClusterBackup backup);
  void put_locked(api::NodeBackup order);
  void forget_other_life_locked(const api::ClusterBackup& backup);
  void slim(api::ClusterBackup& backup);
  void take_servers_locked();
  void forget_memory_locked(const std::string& uid);

  const Clock& m_clock;
  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  bool m_dirty = false;
  Observed m_world;
  std::map<std::string, std::chrono::steady_clock::time_point> m_order_changed_at;
  std::map<std::string, std::chrono::steady_clock::time_point> m_unfinished_since; ///< By uid.
  std::optional<SystemTime> m_last_success;
  api::BackupStatusStatus m_backup_status;
  bool m_backup_status_exists = false;
  std::optional<SystemTime> m_notify_test; ///< The annotation.
  std::map<std::string, std::chrono::steady_clock::time_point> m_node_reported_at; ///< By node.
};

/// Feeds a Store from four watchers.
class StoreFeed {
public:
  StoreFeed(Store& store, kube::Client& client, const std::string& name_space);
  ~StoreFeed();
  StoreFeed(const StoreFeed&) = delete;
  StoreFeed& operator=(const StoreFeed&) = delete;
  StoreFeed(StoreFeed&&) = delete;
  StoreFeed& operator=(StoreFeed&&) = delete;

  /// Runs can be planned. BackupStatus does not count: where its CRD is missing, backups go on.
  [[nodiscard]] bool synced() const;
  /// All that is known follows from lists that were made after the last trouble. Until then nothing
  /// is planned: backups and orders may be of two histories, the server having been restored.
  [[nodiscard]] bool current() const;
  /// All that BackupStatus is judged from has been listed.
  [[nodiscard]] bool backup_status_synced() const;

private:
  struct Handlers;
  std::unique_ptr<Handlers> m_handlers;
  kube::Watcher m_backups;
  kube::Watcher m_orders;
  kube::Watcher m_agents;
  kube::Watcher m_backup_status;
};

} // namespace rb::controller

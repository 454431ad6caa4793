// The orders that the API shows, as the watcher and the worker see them. Safe to share.
#pragma once

#include "agent/run_control.hpp"

#include "api/backup.hpp"
#include "kube/watcher.hpp"

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace rb::agent {

/// How the orders are watched: they are listed anew every 50 s at the latest, sooner than the
/// controller gives up on an agent that it does not hear of (90 s). A restored etcd may pass
/// unseen: its versions can have grown past those that the agent knew (decisions/0010).
[[nodiscard]] kube::WatchOptions watch_of_orders();

/// Keeps the orders for our node; cancels the one in progress when its object goes.
class OrderBoard final : public kube::WatchHandler {
public:
  explicit OrderBoard(std::string node_name) : m_node_name(std::move(node_name)) {}

  void on_upsert(nlohmann::json object) override;
  void on_delete(const kube::ObjectId& id) override;
  void on_synced() override;
  void on_trouble(const Error& error) override;

  /// The oldest unfinished order (by creation, then name) that was not set aside; waits up to
  /// `patience` for one.
  [[nodiscard]] std::optional<api::NodeBackup> next(std::chrono::milliseconds patience,
                                                    std::stop_token stop);

  /// The order is not given out again until its object changes.
  void set_aside(const api::NodeBackup& order);
  /// The order is not given out again by this process, unless it had ended and is unfinished again,
  /// or is unfinished in a new list: etcd was restored.
  void close(const std::string& uid);

  /// `control` is stopped when the object with that uid is deleted, until end_run().
  void begin_run(const std::string& uid, std::shared_ptr<RunControl> control);
  void end_run();
  /// The object is there, as far as the last event tells.
  [[nodiscard]] bool exists(const std::string& uid) const;
  /// The orders that have ended and are not on their way out.
  [[nodiscard]] std::vector<api::NodeBackup> finished() const;

private:
  struct Entry {
    api::NodeBackup order;
    std::string aside_version; ///< The resourceVersion at which it was set aside.
    bool closed = false;
  };

  std::optional<api::NodeBackup> oldest_locked() const;

  const std::string m_node_name;
  mutable std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::map<std::string, Entry> m_orders; ///< By uid.
  std::string m_running_uid;
  std::shared_ptr<RunControl> m_running;
  bool m_synced = false;
};

} // namespace rb::agent

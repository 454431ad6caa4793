// The orders that the API shows, as the watcher and the worker see them, and what is to be done
// with one.
#pragma once

#include "agent/run/run_control.hpp"

#include "api/backup.hpp"
#include "base/clock.hpp"
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

/// Keeps the orders for our node; cancels the one in progress when its object goes. Safe to share.
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

enum class OrderAction {
  ignore, ///< Not ours, ended, or on its way out.
  run,    ///< New, or accepted by this process, which did not hear that it was: accept it (again)
          ///< and carry it out.
  wait,   ///< Another agent has just taken it: it may live, and be about to lock the directory.
  settle, ///< Taken before this process began: report what the disk says of it.
  expire, ///< New, but its deadline has passed, and nothing of it is on the disk.
};

/// What this process knows besides the object.
struct OrderContext {
  std::string node_name;
  bool set_on_disk = false; ///< There is a manifest of its run already (a restored etcd shows runs
                            ///< that ended long ago).
  SystemTime now{};
  std::string instance_id;      ///< Of this process.
  bool acceptance_open = false; ///< This process sent an acceptance of it and does not know what
                                ///< became of that; it has done nothing for the order yet.
  std::string agent_id;         ///< Of the pod of this process.
  std::chrono::steady_clock::duration
      unchanged_for{}; ///< Since this process first saw this version.
};

/// Between accepting an order and holding the directory's lock nothing tells a living agent from a
/// dead one. That takes it milliseconds.
inline constexpr std::chrono::seconds k_other_agent_grace{5};

/// A pod's container may restart under the same agent id, and a restored etcd shows a run that this
/// process ended long ago, so an accepted order is only begun when it bears the mark of this
/// process and this process remembers an acceptance without an answer. Pure.
[[nodiscard]] OrderAction decide(const api::NodeBackup& order, const OrderContext& context);

/// A write that failed so may have been carried out all the same: the connection broke, time ran
/// out, a 5xx after the write, an answer that cannot be read. A 4xx is a refusal; only a conflict
/// may be one with ourselves: the HTTP library sends a request again when a connection that it had
/// used before is closed, and then we hear what became of the second.
[[nodiscard]] bool may_have_arrived(const Error& error);

} // namespace rb::agent

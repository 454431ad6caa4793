// The cluster and the server under the test: orders are made and watched over the API, faults are
// arranged with the stand-in, agents are started on it.
#pragma once

#include "agent_process.hpp"
#include "support/scratch.hpp"

#include "api/backup.hpp"
#include "api/backup_status.hpp"
#include "kube/connection.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rb::test {

class BedCluster {
public:
  /// Applies crds/, removes all orders, gives the backups a directory of their own.
  BedCluster();
  ~BedCluster();
  BedCluster(const BedCluster&) = delete;
  BedCluster& operator=(const BedCluster&) = delete;
  BedCluster(BedCluster&&) = delete;
  BedCluster& operator=(BedCluster&&) = delete;

  [[nodiscard]] std::unique_ptr<AgentProcess>
  start_agent(const std::string& agent_id, const std::vector<std::string>& more = {});

  struct Order {
    std::string name;
    std::string run_id;
  };
  /// Makes an order with a run id of its own; `spec` is laid over the default.
  Order make_order(nlohmann::json spec = nlohmann::json::object());
  /// Makes the order of the same request once more, as a restored etcd shows it.
  Order make_again(const Order& order);
  void remove_order(const std::string& name);
  [[nodiscard]] api::NodeBackup order(const std::string& name);
  /// What the agent said of this node in BackupStatus; nothing yet: nullopt.
  [[nodiscard]] std::optional<api::NodeFacts> facts();
  /// Waits until the agent has ended it; fails the test after `limit`.
  api::NodeBackup finished(const std::string& name,
                           std::chrono::seconds limit = std::chrono::seconds(60));
  /// Waits until an agent has taken it and is at `step`.
  void wait_for_step(const std::string& name, const std::string& step);

  /// Whether this k3s is the stand-in, which plays faults. With a real one it says that the case
  /// did not run, which is then to be left.
  [[nodiscard]] static bool plays_faults();
  /// The stand-in plays `text` from now on; "" for none.
  void play(const std::string& text);
  /// "kill", "start", "restart": the server under the test.
  void control_server(const std::string& word);

  /// Names in the backup directory / our names in k3s's snapshot directory.
  [[nodiscard]] std::vector<std::string> files() const;
  [[nodiscard]] std::vector<std::string> plain_snapshots() const;
  /// Contents of all that a failed run must not touch.
  [[nodiscard]] std::map<std::string, std::string> kept() const;

  static bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit);

private:
  Order post_order(const std::string& name, nlohmann::json spec);
  Scratch m_scratch;
  std::string m_kubeconfig;
  std::string m_node_name;
  std::unique_ptr<kube::Connection> m_connection;
  SystemTime m_next_run{};
};

/// The reason of Succeeded.
[[nodiscard]] std::string reason_of(const api::NodeBackup& order);
[[nodiscard]] std::string message_of(const api::NodeBackup& order);

} // namespace rb::test

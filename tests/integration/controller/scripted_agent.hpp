// Plays the agent of one node over the API: a ready pod, and a thread that takes orders.
#pragma once

#include "cluster.hpp"

#include <mutex>
#include <thread>

namespace rb::test {

/// What the agent does with an order.
enum class Script {
  finish, ///< Takes it, reads the payload, reports success (or Incomplete, as the order says).
  hold,   ///< Takes it and works until told otherwise.
  ignore, ///< Never takes it.
};

class ScriptedAgent {
public:
  ScriptedAgent(Cluster& cluster, const std::string& node, Script script);
  ~ScriptedAgent();
  ScriptedAgent(const ScriptedAgent&) = delete;
  ScriptedAgent& operator=(const ScriptedAgent&) = delete;
  ScriptedAgent(ScriptedAgent&&) = delete;
  ScriptedAgent& operator=(ScriptedAgent&&) = delete;

  void set_script(Script script);
  /// The joined Helm ciphertexts of the orders that were finished, by run id.
  [[nodiscard]] std::map<std::string, Bytes> payloads() const;
  /// Names of the ClusterBackups in the order in which they were taken.
  [[nodiscard]] std::vector<std::string> taken() const;

private:
  void make_pod();
  void run(const std::stop_token& stop);
  void take(api::NodeBackup order);
  void finish(api::NodeBackup order);
  Bytes read_payload(const api::NodeBackup& order);
  void write_status(const api::NodeBackup& order);

  Cluster& m_cluster;
  std::string m_node;
  mutable std::mutex m_mutex;
  Script m_script;
  std::map<std::string, Bytes> m_payloads;
  std::vector<std::string> m_taken;
  std::jthread m_thread;
};

} // namespace rb::test

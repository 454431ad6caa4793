// The agent's worker: takes the orders of its node one after the other, carries them out, reports.
// What an earlier process left behind is settled first.
#pragma once

#include "agent/orders/agent_metrics.hpp"
#include "agent/orders/api_ports.hpp"
#include "agent/orders/order_board.hpp"
#include "agent/run/backup_run.hpp"

#include <functional>
#include <set>
#include <string>

namespace rb::agent {

/// All references outlive the agent.
struct AgentPorts {
  OrderBoard& board;
  StatusSink& sink;
  AgentMetrics& metrics;
  RunPorts run;                            ///< But for the observers, which are the agent's own.
  std::function<void()> run_ended = [] {}; ///< The disk holds something else now.
};

class Agent {
public:
  Agent(Settings settings, AgentPorts ports)
      : m_settings(std::move(settings)), m_ports(std::move(ports)) {}

  /// Works until `stop`. A run in progress is then ended and reported as Interrupted;
  /// `report_stop` bounds how long that report is tried.
  void work(std::stop_token stop, std::stop_token report_stop);

private:
  void tidy();
  void handle(const api::NodeBackup& order, std::stop_token stop, std::stop_token report_stop);
  void carry_out(const api::NodeBackup& order, std::stop_token stop, std::stop_token report_stop);
  /// How long this version of the order is known; of the one that was looked at last.
  [[nodiscard]] std::chrono::steady_clock::duration unchanged_for(const api::NodeBackup& order);
  /// True when this process has the order now.
  [[nodiscard]] bool
  accept(const api::NodeBackup& order, const api::NodeBackupStatus& first, std::stop_token stop);
  void settle(const api::NodeBackup& order, std::stop_token stop, std::stop_token report_stop);
  /// Writes to the version of the order that was read: of two agents one is refused, and nobody
  /// begins or settles what another has taken meanwhile. A refusal is logged as `failure`; then it
  /// waits, or for a new version of the order where this one is not the current one.
  [[nodiscard]] Status write_to(const api::NodeBackup& order,
                                const api::NodeBackupStatus& status,
                                const char* failure,
                                const std::stop_token& stop);
  void report(const api::NodeBackup& order, RunReport outcome, std::stop_token report_stop);

  const Settings m_settings;
  const AgentPorts m_ports;
  bool m_untidy = true; ///< Something of an earlier run may still be there.
  std::chrono::steady_clock::time_point m_next_tidy{};
  std::string m_seen_version;
  std::chrono::steady_clock::time_point m_seen_since{};
  std::set<std::string> m_open_acceptances; ///< Uids of orders whose acceptance got no answer.
};

} // namespace rb::agent

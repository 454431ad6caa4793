// The agent's worker: takes the orders of its node one after the other, carries them out, reports.
// What an earlier process left behind is settled first.
#pragma once

#include "agent/agent_metrics.hpp"
#include "agent/backup_run.hpp"
#include "agent/order_board.hpp"
#include "agent/run_reporter.hpp"
#include "agent/status_writer.hpp"

#include <functional>
#include <memory>
#include <set>

namespace rb::agent {

/// All references outlive the agent.
struct AgentPorts {
  OrderBoard& board;
  StatusSink& sink;
  PayloadSource& payloads;
  ProcessRunner& processes;
  const Clock& clock;
  AgentMetrics& metrics;
  OpenDirectory open_directory = set::Directory::open;
  Wait wait = real_wait();
  Prover* prover = nullptr;                ///< Null: nothing can be proven here.
  OwnImage* image = nullptr;               ///< Null: the kit holds none.
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
  accept(const api::NodeBackup& order, api::NodeBackupStatus& first, std::stop_token stop);
  /// True when nobody has changed the order since it was read: it is this process that settles it.
  [[nodiscard]] bool claim(const api::NodeBackup& order, std::stop_token stop);
  /// Waits, or for a new version of the order where this one is not the current one.
  void not_written(const api::NodeBackup& order, const Error& error, std::stop_token stop);
  void settle(const api::NodeBackup& order, std::stop_token stop, std::stop_token report_stop);
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

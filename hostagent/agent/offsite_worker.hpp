// Copies complete sets off-site and reports it as the condition Replicated. A process of its own
// runs it, beside the agent: no run waits for it, and nothing that happens here changes how a run
// ends.
#pragma once

#include "agent/agent_metrics.hpp"
#include "agent/order_board.hpp"
#include "agent/status_writer.hpp"
#include "offsite/replicator.hpp"

namespace rb::agent {

struct OffsiteTimes {
  std::chrono::milliseconds look{10000};         ///< At the disk.
  std::chrono::milliseconds report{1000};        ///< Conditions that the API has not taken yet.
  std::chrono::milliseconds report_pause{15000}; ///< After the API refused one.
};

/// All references outlive the worker.
struct OffsitePorts {
  offsite::Replicator& replicator;
  const OrderBoard& board;
  StatusSink& sink;
  const Clock& clock;
  AgentMetrics& metrics;
};

class OffsiteWorker {
public:
  explicit OffsiteWorker(OffsitePorts ports, OffsiteTimes times = {})
      : m_ports(ports), m_times(times) {}

  /// Until `stop`, which ends a transfer in progress.
  void work(std::stop_token stop);

private:
  void visit(std::stop_token stop);
  void report(const offsite::View& view, std::stop_token stop);

  const OffsitePorts m_ports;
  const OffsiteTimes m_times;
  offsite::View m_view;
  unsigned m_failures_told = 0;
  std::chrono::steady_clock::time_point m_no_report_before{};
};

} // namespace rb::agent

// Replicates in the background, beside the worker that carries out orders: no run waits for it, and
// nothing that happens here changes the outcome of a run. Reports as the condition Replicated.
#pragma once

#include "agent/agent_metrics.hpp"
#include "agent/order_board.hpp"
#include "agent/status_writer.hpp"
#include "offsite/replicator.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace rb::agent {

struct OffsiteTimes {
  std::chrono::milliseconds look{30000};          ///< At the disk, when nobody wakes us.
  std::chrono::milliseconds report{2000};         ///< Conditions that the API has not taken yet.
  std::chrono::milliseconds report_pause{15000};  ///< After the API refused one.
};

/// All references outlive it.
struct OffsitePorts {
  offsite::Replicator& replicator;
  const OrderBoard& board;
  StatusSink& sink;
  const Clock& clock;
  AgentMetrics& metrics;
};

/// Its thread runs from the constructor to the destructor, which ends a transfer in progress.
class OffsiteWorker {
public:
  OffsiteWorker(OffsitePorts ports, OffsiteTimes times = {});
  ~OffsiteWorker();
  OffsiteWorker(const OffsiteWorker&) = delete;
  OffsiteWorker& operator=(const OffsiteWorker&) = delete;
  OffsiteWorker(OffsiteWorker&&) = delete;
  OffsiteWorker& operator=(OffsiteWorker&&) = delete;

  /// A run has ended: look at the disk now. Safe from any thread.
  void wake();

private:
  void loop(std::stop_token stop);
  void visit(std::stop_token stop);
  void report(const offsite::View& view, std::stop_token stop);
  [[nodiscard]] bool woken(std::stop_token stop);

  const OffsitePorts m_ports;
  const OffsiteTimes m_times;
  offsite::View m_view;
  unsigned m_failures_told = 0;
  std::chrono::steady_clock::time_point m_no_report_before{};
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  bool m_wake = true;
  std::jthread m_thread;
};

} // namespace rb::agent

// Keeps the order's status fresh while a run goes on: at once when a condition changes, every
// second while bytes move, every ten seconds as a heartbeat. The run never waits for the API.
#pragma once

#include "agent/orders/api_ports.hpp"
#include "agent/run/run_control.hpp"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace rb::agent {

struct ReportTimes {
  std::chrono::milliseconds progress{1000};
  std::chrono::milliseconds heartbeat{10000};
};

/// Its thread runs from the constructor to stop() or the destructor.
class RunReporter {
public:
  /// `sink` and `clock` outlive it. `first` has agent_id and start_time; they stay.
  RunReporter(StatusSink& sink,
              const Clock& clock,
              std::string order_name,
              api::NodeBackupStatus first,
              ReportTimes times = {});
  ~RunReporter();
  RunReporter(const RunReporter&) = delete;
  RunReporter& operator=(const RunReporter&) = delete;
  RunReporter(RunReporter&&) = delete;
  RunReporter& operator=(RunReporter&&) = delete;

  /// Conditions, artifacts and so on, so far.
  void on_status(const api::NodeBackupStatus& status);
  void on_progress(const api::Progress& progress);

  /// Ends the thread; nothing is written any more.
  void stop();

private:
  void loop(std::stop_token stop);
  api::NodeBackupStatus snapshot_locked() const;

  StatusSink& m_sink;
  const Clock& m_clock;
  const std::string m_order_name;
  const ReportTimes m_times;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  const api::NodeBackupStatus m_first;
  api::NodeBackupStatus m_status;
  std::optional<api::Progress> m_progress;
  bool m_urgent = false; ///< A condition changed.
  bool m_moved = false;  ///< Progress changed.
  std::jthread m_thread;
};

/// Writes the final status, again and again until the API takes it. Returns true when it was
/// written, false when the order is gone, when the API refuses it for good, or when `stop` came.
[[nodiscard]] bool write_final_status(StatusSink& sink,
                                      const std::string& order_name,
                                      const api::NodeBackupStatus& status,
                                      Waiter& waiter,
                                      std::stop_token stop);

} // namespace rb::agent

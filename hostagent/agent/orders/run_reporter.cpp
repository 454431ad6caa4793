#include "agent/orders/run_reporter.hpp"

#include "terminal/log.hpp"

#include <algorithm>

namespace rb::agent {

RunReporter::RunReporter(StatusSink& sink,
                         const Clock& clock,
                         std::string order_name,
                         api::NodeBackupStatus first,
                         ReportTimes times)
    : m_sink(sink), m_clock(clock), m_order_name(std::move(order_name)), m_times(times),
      m_first(std::move(first)), m_status(m_first),
      m_thread([this](const std::stop_token& stop) { loop(stop); }) {}

RunReporter::~RunReporter() {
  stop();
}

void RunReporter::stop() {
  m_thread = {}; // ends the one before, and waits for that
}

void RunReporter::on_status(const api::NodeBackupStatus& status) {
  const std::lock_guard lock(m_mutex);
  m_status = status;
  m_urgent = true;
  m_changed.notify_all();
}

void RunReporter::on_progress(const api::Progress& progress) {
  const std::lock_guard lock(m_mutex);
  m_urgent = m_urgent || !m_progress || m_progress->step != progress.step;
  m_moved = true;
  m_progress = progress;
}

api::NodeBackupStatus RunReporter::snapshot_locked() const {
  api::NodeBackupStatus status = m_status;
  status.agent_id = m_first.agent_id;
  status.start_time = m_first.start_time;
  status.heartbeat_time = m_clock.now();
  status.progress = m_progress;
  return status;
}

void RunReporter::loop(std::stop_token stop) {
  auto last = std::chrono::steady_clock::now();
  std::unique_lock lock(m_mutex);
  while (!stop.stop_requested()) {
    m_changed.wait_for(lock, stop, m_times.progress, [this] { return m_urgent; });
    const auto now = std::chrono::steady_clock::now();
    const bool due = m_urgent || m_moved || now - last >= m_times.heartbeat;
    if (stop.stop_requested() || !due) {
      continue;
    }
    m_urgent = false;
    m_moved = false;
    last = now;
    const api::NodeBackupStatus status = snapshot_locked();
    lock.unlock();
    const Status written = m_sink.write(m_order_name, status, {}, stop);
    if (!written && written.error().code != ErrorCode::cancelled) {
      log::warn("report of progress", written.error());
    }
    lock.lock();
  }
}

bool write_final_status(StatusSink& sink,
                        const std::string& order_name,
                        const api::NodeBackupStatus& status,
                        Waiter& waiter,
                        std::stop_token stop) {
  constexpr std::chrono::milliseconds k_first_pause{500};
  constexpr std::chrono::milliseconds k_longest_pause{15000};
  auto pause = k_first_pause;
  while (true) {
    const Status written = sink.write(order_name, status, {}, stop);
    if (written) {
      return true;
    }
    const ErrorCode code = written.error().code;
    log::warn("final report of order " + order_name, written.error());
    if (stop.stop_requested() || code == ErrorCode::not_found || code == ErrorCode::cancelled ||
        code == ErrorCode::invalid_argument) {
      return false;
    }
    waiter.wait(pause, stop);
    pause = std::min(pause * 2, k_longest_pause);
  }
}

} // namespace rb::agent

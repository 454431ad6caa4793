#include "agent/offsite_worker.hpp"

#include "agent/offsite_condition.hpp"
#include "terminal/log.hpp"

namespace rb::agent {

void OffsiteWorker::work(std::stop_token stop) {
  auto next_look = m_ports.clock.steady_now();
  while (!stop.stop_requested()) {
    if (m_ports.clock.steady_now() >= next_look) {
      visit(stop);
      next_look = m_ports.clock.steady_now() + m_times.look;
    }
    report(m_view, stop);
    RealWaiter().wait(m_times.report, stop);
  }
}

void OffsiteWorker::visit(std::stop_token stop) {
  const std::size_t pending_before = m_view.pending();
  auto view = m_ports.replicator.visit(stop, [&](const offsite::View& so_far) {
    report(so_far, stop);
    m_ports.metrics.replicated(so_far);
  });
  if (!view) {
    log::warn("off-site: the backup directory", view.error());
    return;
  }
  m_view = *std::move(view);
  m_ports.metrics.replicated(m_view);
  if (m_view.failures > m_failures_told && m_view.trouble) {
    spdlog::warn("off-site: attempt {} failed: {}: {}",
                 m_view.failures,
                 api::to_string(m_view.trouble->reason),
                 m_view.trouble->message);
  }
  if (m_view.failures == 0 && m_view.pending() == 0 &&
      (pending_before > 0 || m_failures_told > 0)) {
    spdlog::info("off-site: {} has all {} sets", m_view.remote, m_view.sets.size());
  }
  m_failures_told = m_view.failures;
}

void OffsiteWorker::report(const offsite::View& view, std::stop_token stop) {
  if (m_ports.clock.steady_now() < m_no_report_before) {
    return;
  }
  for (const api::NodeBackup& order : m_ports.board.finished()) {
    const auto status = with_replicated(view, order, m_ports.clock.now());
    if (!status) {
      continue;
    }
    const Status written =
        m_ports.sink.write(order.meta.name, *status, order.meta.resource_version, stop);
    if (!written && written.error().code != ErrorCode::conflict &&
        written.error().code != ErrorCode::not_found) {
      log::warn("off-site: the condition of order " + order.meta.name, written.error());
      m_no_report_before = m_ports.clock.steady_now() + m_times.report_pause;
      return;
    }
  }
}

} // namespace rb::agent

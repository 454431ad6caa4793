#include "controller/standing_reporter.hpp"

#include "terminal/log.hpp"

#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

namespace rb::controller {

namespace {

constexpr std::string_view k_field_manager = "railiance-backup-controller";

} // namespace

StandingReporter::StandingReporter(kube::Client& client,
                                   const Store& store,
                                   const Clock& clock,
                                   Expectation expectation,
                                   std::function<bool()> synced,
                                   StandingTimes times)
    : m_client(client), m_store(store), m_clock(clock), m_expectation(std::move(expectation)),
      m_synced(std::move(synced)), m_times(times), m_process_start(clock.now()) {}

void StandingReporter::start() {
  m_written_at.reset();
  m_thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void StandingReporter::stop() {
  m_thread.request_stop();
  if (m_thread.joinable()) {
    m_thread.join();
  }
}

Status StandingReporter::visit(const std::stop_token& stop) {
  StandingView view = m_store.standing();
  view.controller_starts = with_start(std::move(view.controller_starts), m_process_start);
  if (!view.exists) {
    const auto made = m_client.create(kube::k_backup_statuses, "", api::new_backup_status(), stop);
    if (!made && made.error().code != ErrorCode::already_exists) {
      return made.error();
    }
  }
  api::BackupStatusStatus next = standing_status(view, m_expectation, m_clock.now());
  const auto now = m_clock.steady_now();
  if (m_written_at && now - *m_written_at < m_times.renew && !says_more(next, m_written)) {
    return {};
  }
  const auto written = m_client.patch(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
      kube::PatchType::apply,
      api::controller_apply(next),
      stop,
      k_field_manager);
  if (!written) {
    return written.error();
  }
  m_written = std::move(next);
  m_written_at = now;
  return {};
}

void StandingReporter::run(const std::stop_token& stop) {
  bool told = false;
  while (!stop.stop_requested()) {
    // Not before all is listed: what is not known yet must not be said to be missing.
    const Status visited = m_synced() ? visit(stop) : Status();
    if (!visited && !told && !stop.stop_requested()) {
      log::warn("BackupStatus", visited.error());
    }
    told = !visited; // once for each time that it begins to fail
    RealWaiter().wait(m_times.look, stop);
  }
}

} // namespace rb::controller

#include "agent/orders/agent.hpp"

#include "agent/orders/run_reporter.hpp"
#include "agent/run/leftovers.hpp"
#include "terminal/log.hpp"

namespace rb::agent {

namespace {

constexpr std::chrono::milliseconds k_patience{5000};
constexpr std::chrono::milliseconds k_pause_after_failure{2000};
constexpr std::chrono::milliseconds k_pause_for_another{500};
constexpr std::chrono::seconds k_tidy_interval{60};

/// An acceptance that is sent again keeps the time of the first.
api::NodeBackupStatus
first_status(const api::NodeBackup& order, const Settings& settings, SystemTime now) {
  api::NodeBackupStatus status;
  status.observed_generation = order.meta.generation;
  status.agent_id = settings.agent_id;
  status.instance_id = settings.instance_id;
  status.start_time = order.status.start_time.value_or(now);
  status.heartbeat_time = now;
  set_step(status,
           api::condition_type::k_succeeded,
           api::ConditionStatus::unknown,
           api::Reason::running,
           "the agent has taken the order",
           now);
  return status;
}

/// The deadline is of the controller's clock, and is judged by ours: that may be what is wrong.
Error came_late(const api::NodeBackup& order, SystemTime now) {
  return Error{ErrorCode::timeout,
               "the deadline (" + format_rfc3339(order.spec.deadline) +
                   ") had passed before the agent saw the order: the clock of node " +
                   order.spec.node_name + " says " + format_rfc3339(now) +
                   ", and by that of the API server the order was made at " +
                   format_rfc3339(order.meta.creation_timestamp) + "; no set of run " +
                   order.spec.run_id + " is on the disk",
               "compare the clocks of the servers (timedatectl): one that is ahead ends every run "
               "so; where they agree, raise spec.deadlineSeconds"}
      .because(api::Reason::deadline_exceeded);
}

} // namespace

void Agent::work(std::stop_token stop, std::stop_token report_stop) {
  while (!stop.stop_requested()) {
    tidy();
    const auto order = m_ports.board.next(k_patience, stop);
    if (order) {
      handle(*order, stop, report_stop);
    }
  }
}

void Agent::tidy() {
  const auto now = m_ports.run.clock.steady_now();
  if (!m_untidy || now < m_next_tidy) {
    return;
  }
  m_next_tidy = now + k_tidy_interval;
  if (m_ports.run.prover != nullptr) {
    m_ports.run.prover->sweep();
  }
  const auto remaining =
      sweep_host(m_settings, m_ports.run.processes, m_ports.run.clock, m_ports.run.open_directory);
  m_ports.metrics.directory_usable(remaining || takes_orders_despite(remaining.error()));
  if (!remaining) {
    log::warn("sweep of the backup directory", remaining.error());
    return;
  }
  m_untidy = !remaining->empty();
}

void Agent::handle(const api::NodeBackup& order,
                   std::stop_token stop,
                   std::stop_token report_stop) {
  OrderContext context;
  context.node_name = m_settings.node_name;
  context.set_on_disk = has_manifest(m_settings, run_order_from(order));
  context.now = m_ports.run.clock.now();
  context.instance_id = m_settings.instance_id;
  context.acceptance_open = m_open_acceptances.contains(order.meta.uid);
  context.agent_id = m_settings.agent_id;
  context.unchanged_for = unchanged_for(order);
  switch (decide(order, context)) {
  case OrderAction::ignore:
    m_ports.board.set_aside(order);
    return;
  case OrderAction::run:
    carry_out(order, stop, report_stop);
    return;
  case OrderAction::wait:
    m_ports.run.waiter.wait(k_pause_for_another, stop);
    return;
  case OrderAction::settle:
    settle(order, stop, report_stop);
    return;
  case OrderAction::expire:
    report(order, failed_report(came_late(order, context.now), context.now), report_stop);
    return;
  }
}

std::chrono::steady_clock::duration Agent::unchanged_for(const api::NodeBackup& order) {
  const auto now = m_ports.run.clock.steady_now();
  const std::string version = order.meta.uid + " " + order.meta.resource_version;
  if (m_seen_version != version) {
    m_seen_version = version;
    m_seen_since = now;
  }
  return now - m_seen_since;
}

Status Agent::write_to(const api::NodeBackup& order,
                       const api::NodeBackupStatus& status,
                       const char* failure,
                       const std::stop_token& stop) {
  Status written = m_ports.sink.write(order.meta.name, status, order.meta.resource_version, stop);
  if (written) {
    return written;
  }
  log::warn("order " + order.meta.name + failure, written.error());
  const ErrorCode code = written.error().code;
  if (code == ErrorCode::conflict || code == ErrorCode::not_found) {
    m_ports.board.set_aside(order); // it changed: the next event brings it back
  } else {
    m_ports.run.waiter.wait(k_pause_after_failure, stop);
  }
  return written;
}

bool Agent::accept(const api::NodeBackup& order,
                   const api::NodeBackupStatus& first,
                   std::stop_token stop) {
  const Status taken = write_to(order, first, " not accepted", stop);
  if (taken) {
    m_open_acceptances.erase(order.meta.uid);
  } else if (may_have_arrived(taken.error())) {
    m_open_acceptances.insert(order.meta.uid);
  }
  return taken.has_value();
}

void Agent::carry_out(const api::NodeBackup& order,
                      std::stop_token stop,
                      std::stop_token report_stop) {
  const auto first = first_status(order, m_settings, m_ports.run.clock.now());
  if (!accept(order, first, stop)) {
    return;
  }
  m_ports.board.close(order.meta.uid);
  m_untidy = true;
  m_next_tidy = m_ports.run.clock.steady_now() + k_tidy_interval;
  spdlog::info("run {} begins", order.spec.run_id);

  const auto control = std::make_shared<RunControl>();
  m_ports.board.begin_run(order.meta.uid, control);
  RunReport outcome;
  {
    const Timer deadline(order.spec.deadline - m_ports.run.clock.now(),
                         [control] { control->stop(StopCause::deadline); });
    const std::stop_callback on_shutdown(stop,
                                         [control] { control->stop(StopCause::shutting_down); });
    RunReporter reporter(m_ports.sink, m_ports.run.clock, order.meta.name, first);
    RunPorts ports = m_ports.run;
    ports.on_status = [&reporter](const auto& status) { reporter.on_status(status); };
    ports.on_progress = [&reporter](const auto& progress) { reporter.on_progress(progress); };
    outcome = run_backup(m_settings, run_order_from(order), ports, *control);
    reporter.stop();
  }
  m_ports.board.end_run();
  outcome.status.start_time = first.start_time;
  report(order, std::move(outcome), report_stop);
}

void Agent::settle(const api::NodeBackup& order,
                   std::stop_token stop,
                   std::stop_token report_stop) {
  const auto swept =
      sweep_host(m_settings, m_ports.run.processes, m_ports.run.clock, m_ports.run.open_directory);
  if (!swept && swept.error().code == ErrorCode::busy) {
    // The process that took the order may still be at it: it will report, or end.
    m_ports.run.waiter.wait(k_pause_after_failure, stop);
    return;
  }
  if (!swept) {
    log::warn("sweep of the backup directory", swept.error());
  }
  m_open_acceptances.erase(order.meta.uid); // a claim puts our mark on it, and accepts nothing
  api::NodeBackupStatus claim = order.status;
  claim.agent_id = m_settings.agent_id;
  claim.instance_id = m_settings.instance_id;
  if (!write_to(order, claim, " not settled yet", stop)) {
    return;
  }
  RunReport outcome = report_from_disk(m_settings, run_order_from(order), m_ports.run.clock);
  if (!outcome.status.start_time) {
    outcome.status.start_time = order.status.start_time;
  }
  report(order, std::move(outcome), report_stop);
}

void Agent::report(const api::NodeBackup& order, RunReport outcome, std::stop_token report_stop) {
  const SystemTime now = m_ports.run.clock.now();
  api::NodeBackupStatus& status = outcome.status;
  status.agent_id = m_settings.agent_id;
  status.instance_id = m_settings.instance_id;
  status.observed_generation = order.meta.generation;
  status.heartbeat_time = now;
  if (!status.start_time) {
    status.start_time = now;
  }
  m_ports.metrics.run_ended(outcome);
  m_ports.run_ended();
  spdlog::info(
      "run {} ended: {}: {}", order.spec.run_id, api::to_string(outcome.reason), outcome.message);
  m_ports.board.close(order.meta.uid);
  if (m_ports.board.exists(order.meta.uid) &&
      !write_final_status(m_ports.sink, order.meta.name, status, m_ports.run.waiter, report_stop)) {
    spdlog::warn("run {}: the order did not take the final report", order.spec.run_id);
  }
}

} // namespace rb::agent

#include "agent/orders/offsite_worker.hpp"

#include "offsite/rclone_config.hpp"
#include "terminal/log.hpp"

#include "base/fd.hpp"
#include "base/pause.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

constexpr std::size_t k_config_limit_bytes = 1U << 20U;
/// Between two looks at the conditions that the API has not taken yet.
constexpr std::chrono::milliseconds k_report_interval{1000};
constexpr std::chrono::milliseconds k_pause_after_refusal{15000}; ///< Of a condition.

class Worker {
public:
  /// All references outlive the worker.
  Worker(offsite::Replicator& replicator,
         const offsite::RcloneConfig& config,
         const OrderBoard& board,
         StatusSink& sink,
         const Clock& clock,
         AgentMetrics& metrics)
      : m_replicator(replicator), m_config(config), m_board(board), m_sink(sink), m_clock(clock),
        m_metrics(metrics) {}

  void work(std::chrono::seconds look_every, const std::stop_token& stop) {
    RealWaiter waiter;
    auto next_look = m_clock.steady_now();
    while (!stop.stop_requested()) {
      if (m_clock.steady_now() >= next_look) {
        visit(stop);
        next_look = m_clock.steady_now() + sparing_pause(m_replicator.look_took(), look_every);
      }
      report(m_view, stop);
      waiter.wait(k_report_interval, stop);
    }
  }

private:
  void visit(std::stop_token stop);
  void report(const offsite::View& view, std::stop_token stop);
  /// False: the API will not have it now.
  bool
  write(const api::ObjectMeta& order, const api::NodeBackupStatus& status, std::stop_token stop);

  offsite::Replicator& m_replicator;
  const offsite::RcloneConfig& m_config;
  const OrderBoard& m_board;
  StatusSink& m_sink;
  const Clock& m_clock;
  AgentMetrics& m_metrics;
  offsite::View m_view;
  std::optional<Error> m_unreadable; ///< Why the last visit saw nothing.
  unsigned m_failures_told = 0;
  std::chrono::steady_clock::time_point m_no_report_before{};
};

void Worker::visit(std::stop_token stop) {
  if (const Status kept = m_config.refresh(); !kept) {
    log::warn("off-site: the copy of rclone.conf", kept.error());
  }
  const std::size_t pending_before = m_view.pending();
  auto view = m_replicator.visit(stop, [&](const offsite::View& so_far) {
    m_unreadable.reset();
    report(so_far, stop);
    m_metrics.replicated(so_far);
  });
  if (!view) {
    m_unreadable = with_pod_hint(std::move(view).error());
    log::warn("off-site: the backup directory", *m_unreadable);
    return;
  }
  m_unreadable.reset();
  m_view = *std::move(view);
  m_metrics.replicated(m_view);
  if (m_view.failures > m_failures_told && m_view.trouble) {
    spdlog::warn("off-site: attempt {} failed: {}: {}",
                 m_view.failures,
                 api::to_string(m_view.trouble->reason),
                 m_view.trouble->message);
  }
  if (m_view.failures == 0 && m_view.pending() == 0 &&
      (pending_before > 0 || m_failures_told > 0)) {
    spdlog::info("off-site: {} has all {} sets", m_view.remote, m_view.replicated());
  }
  m_failures_told = m_view.failures;
}

void Worker::report(const offsite::View& view, std::stop_token stop) {
  if (m_clock.steady_now() < m_no_report_before) {
    return;
  }
  if (m_unreadable) {
    if (const auto order = with_unreadable(m_board.finished(), *m_unreadable, m_clock.now())) {
      static_cast<void>(write(order->meta, order->status, stop));
    }
    return;
  }
  for (const api::NodeBackup& order : m_board.finished()) {
    const auto status = with_replicated(view, order, m_clock.now());
    if (status && !write(order.meta, *status, stop)) {
      return;
    }
  }
}

bool Worker::write(const api::ObjectMeta& order,
                   const api::NodeBackupStatus& status,
                   std::stop_token stop) {
  const Status written = m_sink.write(order.name, status, order.resource_version, std::move(stop));
  if (written || written.error().code == ErrorCode::conflict ||
      written.error().code == ErrorCode::not_found) {
    return true;
  }
  log::warn("off-site: the condition of order " + order.name, written.error());
  m_no_report_before = m_clock.steady_now() + k_pause_after_refusal;
  return false;
}

/// Why the remote may not be reached, as far as its configuration and rclone tell.
std::string hint_of(const std::string& config_file,
                    const std::string& remote,
                    const std::vector<int>& let_through,
                    std::string_view said) {
  const auto config = read_secret_file(config_file, k_config_limit_bytes);
  const auto ports =
      config ? offsite::remote_ports(as_text(config->view()), remote) : offsite::RemotePorts();
  return offsite::unreachable_hint(ports, let_through, said);
}

bool is_of(const offsite::SetView& set, const api::NodeBackup& order) {
  return set.cluster_backup_uid.empty() ||
         (order.meta.controller_owner ? set.cluster_backup_uid == order.meta.controller_owner->uid
                                      : set.cluster_backup_uid == order.meta.name);
}

} // namespace

void copy_offsite(OffsiteOptions options,
                  const OrderBoard& board,
                  StatusSink& sink,
                  AgentMetrics& metrics,
                  std::stop_token stop) {
  RealClock clock;
  RealProcessRunner processes;
  const offsite::RcloneConfig config(
      options.rclone.config_file, options.node_name, options.replicator.state_dir + "/rclone");
  // Asked anew each time: the Secret may have come, or changed, since.
  options.rclone.unreachable_hint =
      [&config, remote = options.rclone.remote, ports = options.ports](std::string_view said) {
        return hint_of(config.source(), remote, ports, said);
      };
  options.rclone.config_file = config.path();
  offsite::RcloneStore store(processes, options.rclone);
  offsite::Replicator replicator(options.replicator, store, clock);
  spdlog::info("complete sets are copied to {}", options.rclone.remote);
  Worker(replicator, config, board, sink, clock, metrics).work(options.look_every, stop);
}

Error with_pod_hint(Error error) {
  if (error.code == ErrorCode::permission_denied && error.hint.empty()) {
    error.hint = "this pod is root without capabilities, where the agent has all: what lies there "
                 "must belong to root, and where k3s runs with `selinux: true` the chart needs "
                 "agent.seLinuxOptions.type=spc_t";
  }
  return error;
}

std::optional<api::Condition> replicated_condition(const offsite::View& view,
                                                   const api::NodeBackup& order) {
  const auto set = view.sets.find(order.spec.run_id);
  if (!order.finished() || set == view.sets.end() || !is_of(set->second, order)) {
    return std::nullopt;
  }
  api::Condition condition;
  condition.type = api::condition_type::k_replicated;
  condition.observed_generation = order.meta.generation;
  if (set->second.replicated) {
    condition.status = api::ConditionStatus::true_;
    condition.reason = api::to_string(api::Reason::completed);
    condition.message = "copied to " + view.remote + " and read back from there";
  } else if (!set->second.damaged.empty()) {
    condition.status = api::ConditionStatus::false_;
    condition.reason = api::to_string(api::Reason::verification_failed);
    condition.message = set->second.damaged + "; it is left out, the others are copied";
  } else if (set->second.outdated) {
    const auto* const known =
        api::find_condition(order.status.conditions, api::condition_type::k_replicated);
    if (known != nullptr && known->status == api::ConditionStatus::true_) {
      return std::nullopt; // it was there, and retention removed it
    }
    condition.status = api::ConditionStatus::unknown;
    condition.reason = api::to_string(api::Reason::not_requested);
    condition.message = "is not copied to " + view.remote +
                        ": another server has newer sets there, and offsite.keepLast keeps those";
  } else if (view.trouble) {
    condition.status = api::ConditionStatus::false_;
    condition.reason = api::to_string(view.trouble->reason);
    condition.message = view.trouble->message + "; it is tried again";
  } else {
    condition.status = api::ConditionStatus::unknown;
    condition.reason = api::to_string(api::Reason::pending);
    condition.message = "is to be copied to " + view.remote;
  }
  return condition;
}

std::optional<api::NodeBackup>
with_unreadable(std::vector<api::NodeBackup> orders, const Error& why, SystemTime now) {
  std::erase_if(orders, [](const api::NodeBackup& order) {
    const auto* const ended =
        api::find_condition(order.status.conditions, api::condition_type::k_succeeded);
    return ended == nullptr || ended->status != api::ConditionStatus::true_;
  });
  const auto newest = std::ranges::max_element(
      orders, {}, [](const api::NodeBackup& order) { return order.spec.run_id; });
  if (newest == orders.end()) {
    return std::nullopt;
  }
  api::Condition condition;
  condition.type = api::condition_type::k_replicated;
  condition.status = api::ConditionStatus::false_;
  condition.reason = api::to_string(api::Reason::remote_failed);
  condition.message = why.text() + "; it is tried again";
  condition.observed_generation = newest->meta.generation;
  const auto* const known =
      api::find_condition(newest->status.conditions, api::condition_type::k_replicated);
  if (known != nullptr &&
      (known->status == api::ConditionStatus::true_ ||
       (known->status == condition.status && known->message == condition.message))) {
    return std::nullopt;
  }
  api::set_condition(newest->status.conditions, std::move(condition), now);
  return *newest;
}

std::optional<api::NodeBackupStatus>
with_replicated(const offsite::View& view, const api::NodeBackup& order, SystemTime now) {
  const auto wanted = replicated_condition(view, order);
  if (!wanted) {
    return std::nullopt;
  }
  const api::Condition* known =
      api::find_condition(order.status.conditions, api::condition_type::k_replicated);
  if (known != nullptr && known->status == wanted->status && known->reason == wanted->reason &&
      known->message == wanted->message) {
    return std::nullopt;
  }
  api::NodeBackupStatus status = order.status;
  api::set_condition(status.conditions, *wanted, now);
  return status;
}

} // namespace rb::agent

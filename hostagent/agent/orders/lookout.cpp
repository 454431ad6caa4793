#include "agent/orders/lookout.hpp"

#include "terminal/log.hpp"

#include "base/digest.hpp"
#include "kube/resource.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

using notify::Message;
using notify::MessageKind;

constexpr std::chrono::seconds k_alive_for{300};

/// The first by name of the agents that report.
bool is_first(const api::BackupStatusStatus& status,
              const std::string& node,
              const std::set<std::string>& silent) {
  return std::ranges::none_of(status.nodes, [&](const api::NodeFacts& other) {
    return other.node_name < node && !silent.contains(other.node_name);
  });
}

/// The newest silence that some agent told of.
SystemTime newest_told(const api::BackupStatusStatus& status) {
  SystemTime newest{};
  for (const api::NodeFacts& node : status.nodes) {
    newest = std::max(newest, node.controller_missed_since);
  }
  return newest;
}

SystemTime told_by(const api::BackupStatusStatus& status, const std::string& node) {
  const auto own = std::ranges::find(status.nodes, node, &api::NodeFacts::node_name);
  return own == status.nodes.end() ? SystemTime{} : own->controller_missed_since;
}

std::string last_backup(const api::BackupStatusStatus& status) {
  return status.last_success_time ? "the newest complete backup is " + status.last_success_run_id +
                                        " of " + format_rfc3339(*status.last_success_time)
                                  : "there is no complete backup";
}

/// A field manager has at most 128 characters, a node's name up to 253.
std::string field_manager_of(const std::string& node) {
  return "railiance-backup-lookout-" + to_hex(sha256(as_bytes(node))).substr(0, 16);
}

} // namespace

std::optional<ControllerNotice> notice_of_controller(const api::BackupStatusStatus& status,
                                                     const std::string& node,
                                                     std::chrono::seconds unchanged,
                                                     const std::set<std::string>& silent) {
  if (!status.observed_time) {
    return std::nullopt;
  }
  const SystemTime observed = *status.observed_time;
  Message message;
  message.topic = "controller";
  message.time = observed;
  message.node = node;
  if (unchanged >= k_controller_silent_after) {
    if (newest_told(status) >= observed || !is_first(status, node, silent)) {
      return std::nullopt;
    }
    message.kind = MessageKind::problem;
    message.title = "no backups are made: the controller is silent";
    message.text = "no controller has looked since " + format_rfc3339(observed) + "; " +
                   last_backup(status) + "\nwhat to do: kubectl -n railiance-backup get pods";
    message.reason = "ControllerUnavailable";
    return ControllerNotice{std::move(message), observed};
  }
  const SystemTime told = told_by(status, node);
  if (told == SystemTime{} || observed <= told) {
    return std::nullopt;
  }
  message.kind = MessageKind::recovered;
  message.title = "the controller looks again";
  message.text = "it looked at " + format_rfc3339(observed) + "; " + last_backup(status);
  return ControllerNotice{std::move(message), told};
}

std::set<std::string> Lookout::silent_nodes(const api::BackupStatusStatus& status) {
  const auto now = m_clock.steady_now();
  std::map<std::string, Heard> heard;
  std::set<std::string> silent;
  for (const api::NodeFacts& node : status.nodes) {
    const auto known = m_heard.find(node.node_name);
    const bool same = known != m_heard.end() && known->second.report == node.report_time;
    const Heard entry{node.report_time, same ? known->second.changed_at : now};
    if (now - entry.changed_at >= k_alive_for) {
      silent.insert(node.node_name);
    }
    heard.emplace(node.node_name, entry);
  }
  m_heard = std::move(heard);
  return silent;
}

void Lookout::look(const api::BackupStatusStatus& status,
                   const std::string& node,
                   const std::stop_token& stop) {
  const auto now = m_clock.steady_now();
  if (m_observed != status.observed_time) {
    m_observed = status.observed_time;
    m_changed_at = now;
  }
  const auto unchanged = std::chrono::duration_cast<std::chrono::seconds>(now - m_changed_at);
  auto notice = notice_of_controller(status, node, unchanged, silent_nodes(status));
  if (!notice) {
    return;
  }
  const bool told =
      m_told && m_told->silence == notice->silence && m_told->message.kind == notice->message.kind;
  if (told || tell(*notice, stop)) {
    write(*notice, node, stop);
  }
}

bool Lookout::tell(ControllerNotice& notice, const std::stop_token& stop) {
  Message& message = notice.message;
  message.cluster = m_cluster_name;
  if (!m_cluster_name.empty()) {
    message.title = m_cluster_name + ": " + message.title;
  }
  const Status told = m_webhook->deliver(message, stop);
  if (!told && !m_failing && !stop.stop_requested()) {
    log::warn("notices: the webhook cannot be told", told.error());
  }
  m_failing = !told; // said once for each time that it begins to fail
  if (told) {
    m_told = notice;
  }
  return told.has_value();
}

void Lookout::write(const ControllerNotice& notice,
                    const std::string& node,
                    const std::stop_token& stop) {
  const bool silent = notice.message.kind == MessageKind::problem;
  const auto written = m_client.patch(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
      kube::PatchType::apply,
      api::missed_apply(node, silent ? notice.silence : SystemTime{}),
      stop,
      field_manager_of(node));
  if (!written) {
    log::warn("notices: BackupStatus", written.error());
  }
}

} // namespace rb::agent

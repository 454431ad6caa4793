// The agent tells the webhook that the controller does not look any more: then nobody else tells
// anything, and no backup is made. What it knows of the controller is the answer to its own report
// (facts_reporter.hpp), so it needs no further right.
// Guarantees: a silence is told once in the cluster, by the living agent whose node is the first by
// name, and its end by the one that told it; silence, also that of the other agents, is measured by
// this process's own steady clock: no clock of a host is compared with another one.
#pragma once

#include "notify/delivery.hpp"

#include "api/backup_status.hpp"
#include "base/clock.hpp"
#include "kube/client.hpp"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace rb::agent {

/// The controller looks every minute; an upgrade, or a node that goes, takes minutes.
inline constexpr std::chrono::seconds k_controller_silent_after{1800};

struct ControllerNotice {
  notify::Message message;
  SystemTime silence{}; ///< The last look before it.
};

/// What is to be told of the controller, when BackupStatus has been as it is for `unchanged`.
/// `silent`: nodes whose agents say nothing any more. Pure.
[[nodiscard]] std::optional<ControllerNotice>
notice_of_controller(const api::BackupStatusStatus& status,
                     const std::string& node,
                     std::chrono::seconds unchanged,
                     const std::set<std::string>& silent);

/// Used by one thread.
class Lookout {
public:
  /// Both outlive it.
  Lookout(std::unique_ptr<notify::Delivery> webhook,
          std::string cluster_name,
          kube::Client& client,
          const Clock& clock)
      : m_webhook(std::move(webhook)), m_cluster_name(std::move(cluster_name)), m_client(client),
        m_clock(clock) {}

  /// After each report, with what BackupStatus says then. A receiver that cannot be told is tried
  /// again with the next one.
  void
  look(const api::BackupStatusStatus& status, const std::string& node, const std::stop_token& stop);

private:
  /// What an agent said last, and when this process first saw that.
  struct Heard {
    SystemTime report{};
    std::chrono::steady_clock::time_point changed_at{};
  };

  [[nodiscard]] std::set<std::string> silent_nodes(const api::BackupStatusStatus& status);
  [[nodiscard]] bool tell(ControllerNotice& notice, const std::stop_token& stop);
  void write(const ControllerNotice& notice, const std::string& node, const std::stop_token& stop);

  const std::unique_ptr<notify::Delivery> m_webhook;
  const std::string m_cluster_name;
  kube::Client& m_client;
  const Clock& m_clock;
  std::optional<SystemTime> m_observed; ///< When the controller last looked, as last seen.
  std::chrono::steady_clock::time_point m_changed_at{};
  std::map<std::string, Heard> m_heard; ///< By node.
  /// Told by this process, whether or not that is written down.
  std::optional<ControllerNotice> m_told;
  bool m_failing = false;
};

} // namespace rb::agent

// Tells the cluster what is on the disk: the agent's own entry of BackupStatus.status.nodes, every
// minute and after each run. No run waits for it, and no outcome of it is one of a backup.
#pragma once

#include "agent/disk_watch.hpp"

#include "base/result.hpp"
#include "kube/client.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace rb::agent {

/// "railiance-backup-agent-" and 16 hex digits of the node's name: a field manager has at most 128
/// characters, a node's name up to 253.
[[nodiscard]] std::string field_manager_of(const std::string& node_name);

/// Its thread runs from the constructor to the destructor.
class FactsReporter {
public:
  using Send = std::function<Status(const api::NodeFacts&, std::stop_token)>;

  /// `disk` outlives it.
  FactsReporter(DiskWatch& disk,
                Send send,
                std::chrono::milliseconds interval = std::chrono::seconds(60));

  /// Something changed on the disk: report it now.
  void poke();

private:
  void run(const std::stop_token& stop);

  DiskWatch& m_disk;
  const Send m_send;
  const std::chrono::milliseconds m_interval;
  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  bool m_poked = false;
  std::jthread m_thread;
};

/// By server-side apply. `client` outlives it.
[[nodiscard]] FactsReporter::Send send_to_api(kube::Client& client);

} // namespace rb::agent

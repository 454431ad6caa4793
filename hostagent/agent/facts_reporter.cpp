#include "agent/facts_reporter.hpp"

#include "terminal/log.hpp"

#include "api/backup_status.hpp"
#include "base/digest.hpp"
#include "kube/resource.hpp"

namespace rb::agent {

std::string field_manager_of(const std::string& node_name) {
  return "railiance-backup-agent-" + to_hex(sha256(as_bytes(node_name))).substr(0, 16);
}

FactsReporter::FactsReporter(DiskWatch& disk, Send send, std::chrono::milliseconds interval)
    : m_disk(disk), m_send(std::move(send)), m_interval(interval),
      m_thread([this](const std::stop_token& stop) { run(stop); }) {}

void FactsReporter::poke() {
  m_disk.changed();
  const std::lock_guard lock(m_mutex);
  m_poked = true;
  m_changed.notify_all();
}

void FactsReporter::run(const std::stop_token& stop) {
  bool told = false;
  while (!stop.stop_requested()) {
    const auto facts = m_disk.facts();
    const Status sent = facts ? m_send(*facts, stop) : Status();
    // not_found: the controller has not made the object yet.
    if (!sent && !told && !stop.stop_requested() && sent.error().code != ErrorCode::not_found) {
      log::warn("the facts of this node", sent.error());
    }
    told = !sent; // once for each time that it begins to fail
    std::unique_lock lock(m_mutex);
    // The object is made soon after the first agent asks for it.
    const auto pause = sent ? m_interval : std::min(m_interval, std::chrono::milliseconds(10000));
    m_changed.wait_for(lock, stop, pause, [this] { return m_poked; });
    m_poked = false;
  }
}

FactsReporter::Send send_to_api(kube::Client& client) {
  return [&client](const api::NodeFacts& facts, const std::stop_token& stop) -> Status {
    const auto written = client.patch(
        {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
        kube::PatchType::apply,
        api::agent_apply(facts),
        stop,
        field_manager_of(facts.node_name));
    return written ? Status() : Status(written.error());
  };
}

} // namespace rb::agent

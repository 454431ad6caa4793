#include "agent/disk_watch.hpp"

#include "observe/disk_facts.hpp"

#include "log/log.hpp"

namespace rb::agent {

DiskWatch::DiskWatch(const Settings& settings, const Clock& clock, std::chrono::milliseconds pause)
    : m_backup_dir(settings.backup_dir), m_node_name(settings.node_name),
      m_agent_id(settings.agent_id), m_clock(clock), m_pause(pause) {}

std::optional<api::NodeFacts> DiskWatch::facts() {
  const std::lock_guard lock(m_mutex);
  const auto now = m_clock.steady_now();
  if (m_next_look && now < *m_next_look) {
    return m_facts;
  }
  m_next_look = now + m_pause;
  auto read = observe::read_facts(m_backup_dir, m_clock.now());
  if (!read && read.error().code == ErrorCode::not_found) {
    read = observe::facts_of({}, m_clock.now());
  }
  if (!read) {
    log::warn("backup directory", read.error());
    return m_facts;
  }
  m_facts = *std::move(read);
  m_facts->node_name = m_node_name;
  m_facts->agent_id = m_agent_id;
  return m_facts;
}

void DiskWatch::changed() {
  const std::lock_guard lock(m_mutex);
  m_next_look.reset();
}

} // namespace rb::agent

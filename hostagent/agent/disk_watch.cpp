#include "agent/disk_watch.hpp"

#include "agent/signing.hpp"
#include "k3s/datastore.hpp"
#include "k3s/host_settings.hpp"
#include "status/disk_facts.hpp"
#include "terminal/log.hpp"

#include "base/open_beneath.hpp"

namespace rb::agent {

namespace {

constexpr std::size_t k_public_key_limit_bytes = 4096;

/// None before the first run.
std::vector<sign::PublicKey> keys_at(const std::string& path) {
  const auto text = read_regular(path, k_public_key_limit_bytes);
  const auto key =
      text ? sign::PublicKey::parse(text->text()) : Result<sign::PublicKey>(text.error());
  return key ? std::vector{*key} : std::vector<sign::PublicKey>{};
}

/// Not said where the configuration cannot be read: a run says why.
api::Datastore datastore_of(const std::string& data_dir, const MountedFiles& files) {
  const k3s::HostSettings read = k3s::read_host_settings(files);
  return read.problem.empty() ? k3s::reported_as(k3s::detect_datastore(
                                    k3s::probe_datastore(data_dir, read.settings)))
                              : api::Datastore::unknown;
}

} // namespace

DiskWatch::DiskWatch(const Settings& settings, const Clock& clock, std::chrono::milliseconds pause)
    : m_backup_dir(settings.backup_dir),
      m_public_key(settings.key_dir + "/" + std::string(k_signing_pub_name)),
      m_data_dir(settings.data_dir), m_files(settings), m_node_name(settings.node_name),
      m_agent_id(settings.agent_id), m_clock(clock), m_pause(pause) {}

std::optional<api::NodeFacts> DiskWatch::facts() {
  const std::lock_guard lock(m_mutex);
  const auto now = m_clock.steady_now();
  if (m_next_look && now < *m_next_look) {
    return m_facts;
  }
  m_next_look = now + m_pause;
  auto read = status::read_facts(m_backup_dir, m_clock.now(), keys_at(m_public_key));
  if (!read && read.error().code == ErrorCode::not_found) {
    read = status::facts_of({}, m_clock.now());
  }
  if (!read) {
    log::warn("backup directory", read.error());
    return m_facts;
  }
  m_facts = *std::move(read);
  m_facts->node_name = m_node_name;
  m_facts->agent_id = m_agent_id;
  m_facts->datastore = datastore_of(m_data_dir, m_files);
  return m_facts;
}

void DiskWatch::changed() {
  const std::lock_guard lock(m_mutex);
  m_next_look.reset();
}

} // namespace rb::agent

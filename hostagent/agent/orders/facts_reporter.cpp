#include "agent/orders/facts_reporter.hpp"

#include "agent/host/host_key.hpp"
#include "agent/run/k3s_snapshots.hpp"
#include "datastore/detect.hpp"
#include "k3s/etcd_members.hpp"
#include "k3s/host_settings.hpp"
#include "status/disk_facts.hpp"
#include "terminal/log.hpp"

#include "age/sops_yaml.hpp"
#include "api/backup_status.hpp"
#include "base/digest.hpp"
#include "base/fd.hpp"
#include "base/open_beneath.hpp"
#include "base/pause.hpp"
#include "kube/resource.hpp"
#include "kube/transport.hpp"

namespace rb::agent {

namespace {

constexpr std::size_t k_public_key_limit_bytes = 4096;

/// The host's own; none where it could not be made (host_key).
std::vector<sign::PublicKey> own_keys(const Settings& settings) {
  const std::string path = settings.key_dir + "/" + std::string(k_signing_pub_name);
  const auto text = read_regular(path, k_public_key_limit_bytes);
  const auto key =
      text ? sign::PublicKey::parse(text->text()) : Result<sign::PublicKey>(text.error());
  return key ? std::vector{*key} : std::vector<sign::PublicKey>{};
}

/// None where it cannot be read: a run says why.
std::vector<std::string> present_recipients(const Settings& settings) {
  std::vector<std::string> recipients;
  const auto text = read_text_file(settings.sops_config, age::k_sops_yaml_limit_bytes);
  const auto named = text ? age::recipients_from_sops_yaml(*text)
                          : Result<std::vector<age::Recipient>>(text.error());
  if (named) {
    for (const age::Recipient& recipient : *named) {
      recipients.push_back(recipient.text());
    }
  }
  return recipients;
}

/// Not said where the configuration cannot be read: a run says why.
api::Datastore datastore_of(const std::string& data_dir, const MountedFiles& files) {
  const k3s::HostSettings read = k3s::read_host_settings(files);
  return read.problem.empty() ? datastore::reported_as(
                                    datastore::detect(datastore::look_for(data_dir, read.settings)))
                              : api::Datastore::unknown;
}

constexpr std::chrono::seconds k_interval{60};
constexpr std::chrono::seconds k_retry{10};

/// "railiance-backup-agent-" and 16 hex digits of the node's name: a field manager has at most 128
/// characters, a node's name up to 253.
std::string field_manager_of(const std::string& node_name) {
  return "railiance-backup-agent-" + to_hex(sha256(as_bytes(node_name))).substr(0, 16);
}

constexpr std::size_t k_answer_limit_bytes = std::size_t{1} << 20U;
/// The server itself gives etcd two seconds.
constexpr std::chrono::seconds k_timeout{4};

} // namespace

std::optional<api::NodeFacts> DiskWatch::facts() {
  const std::lock_guard lock(m_mutex);
  const auto now = m_clock.steady_now();
  if (m_next_look && now < *m_next_look) {
    return m_facts;
  }
  const std::vector<sign::PublicKey> keys = own_keys(m_settings);
  auto read = status::read_facts(
      m_settings.backup_dir, m_clock.now(), keys, present_recipients(m_settings));
  const auto then = m_clock.steady_now();
  m_next_look = then + sparing_pause(then - now, m_pause);
  if (!read && read.error().code == ErrorCode::not_found) {
    read = status::facts_of({}, m_clock.now());
  }
  if (!read) {
    log::warn("backup directory", read.error());
    return m_facts;
  }
  m_facts = *std::move(read);
  m_facts->node_name = m_settings.node_name;
  m_facts->agent_id = m_settings.agent_id;
  m_facts->datastore = datastore_of(m_settings.data_dir, m_files);
  m_facts->address = m_settings.node_address;
  m_facts->public_key = keys.empty() ? std::string() : keys.front().line();
  return m_facts;
}

void DiskWatch::changed() {
  const std::lock_guard lock(m_mutex);
  m_next_look.reset();
}

void FactsReporter::poke() {
  m_disk.changed();
  const std::lock_guard lock(m_mutex);
  m_poked = true;
  m_changed.notify_all();
}

Status FactsReporter::report(api::NodeFacts facts, const std::stop_token& stop) {
  if (m_ask_member && facts.datastore == api::Datastore::embedded_etcd) {
    facts.member = m_ask_member(stop);
  }
  RB_TRY_ASSIGN(const nlohmann::json object,
                m_client.patch(
                    {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
                    kube::PatchType::apply,
                    api::agent_apply(facts),
                    stop,
                    field_manager_of(facts.node_name)));
  if (m_lookout != nullptr) {
    if (const auto seen = api::backup_status_from_json(object)) {
      m_lookout->look(seen->status, facts.node_name, stop);
    }
  }
  return {};
}

void FactsReporter::run(const std::stop_token& stop) {
  bool told = false;
  while (!stop.stop_requested()) {
    const auto facts = m_disk.facts();
    const Status sent = facts ? report(*facts, stop) : Status();
    // not_found: the controller has not made the object yet.
    if (!sent && !told && !stop.stop_requested() && sent.error().code != ErrorCode::not_found) {
      log::warn("the facts of this node", sent.error());
    }
    told = !sent; // once for each time that it begins to fail
    std::unique_lock lock(m_mutex);
    // The object is made soon after the first agent asks for it.
    m_changed.wait_for(lock, stop, sent ? k_interval : k_retry, [this] { return m_poked; });
    m_poked = false;
  }
}

api::Member member_in(int http_status, std::string_view body, std::string_view name) {
  constexpr int k_ok = 200;
  constexpr int k_internal_error = 500;
  if (http_status == k_internal_error) {
    // A learner answers no such question, and etcd's error says so.
    return body.find("learner") == std::string_view::npos ? api::Member::no_quorum
                                                          : api::Member::learner;
  }
  const auto members = http_status == k_ok ? k3s::parse_members(body)
                                           : Result<std::vector<k3s::EtcdMember>>(Error{});
  if (!members || name.empty()) {
    return api::Member::unknown;
  }
  const k3s::EtcdMember* const own = k3s::member_named(*members, name);
  // Added, and not started: it has no name yet.
  return own == nullptr || own->learner ? api::Member::learner : api::Member::voting;
}

api::Member ask_member(const Settings& settings, const std::stop_token& stop) {
  const k3s::HostSettings server = k3s::read_host_settings(MountedFiles(settings));
  const std::string other = other_server_url(settings, server.settings);
  kube::ClientConfig config;
  config.server = other.empty() ? "https://127.0.0.1:6443" : other;
  config.ca.path = settings.data_dir + "/server/tls/server-ca.crt";
  const auto transport = kube::make_cpprest_transport(std::move(config));
  if (!transport) {
    return api::Member::unknown;
  }
  kube::Request request;
  request.path = "/db/info";
  request.timeout = k_timeout;
  request.body_limit_bytes = k_answer_limit_bytes;
  const auto answer = (*transport)->send(request, stop);
  return answer ? member_in(answer->status, answer->body, k3s::member_name_in(settings.data_dir))
                : api::Member::unknown;
}

} // namespace rb::agent

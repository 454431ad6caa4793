#include "controller/store.hpp"

#include "controller/agents.hpp"
#include "controller/orders.hpp"
#include "terminal/log.hpp"

#include "api/backup.hpp"
#include "base/json_member.hpp"
#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

bool is_newer_word(const api::NodeBackup& before, const api::NodeBackup& after) {
  return before.status.heartbeat_time != after.status.heartbeat_time ||
         before.accepted() != after.accepted() || before.meta.uid != after.meta.uid;
}

/// " NAME", or nothing where there is none.
std::string name_of(const nlohmann::json& json) {
  const std::string name = json_text(json_member(json, "metadata"), "name");
  return name.empty() ? name : " " + name;
}

/// Nothing, and a warning, where the object cannot be read.
template <typename Object>
std::optional<Object>
readable(Result<Object> object, const char* what, const nlohmann::json& json) {
  if (!object) {
    log::warn(std::string(what) + name_of(json) + " cannot be read and is left out",
              object.error());
    return std::nullopt;
  }
  return *std::move(object);
}

/// The watch has told of a later state of the same object than the answer does.
bool overtaken(const api::ObjectMeta& answer, const api::ObjectMeta& known) {
  return answer.uid == known.uid &&
         kube::is_older_version(answer.resource_version, known.resource_version);
}

std::map<std::string, std::chrono::seconds>
ages(const std::map<std::string, std::chrono::steady_clock::time_point>& times,
     std::chrono::steady_clock::time_point now) {
  std::map<std::string, std::chrono::seconds> ages;
  for (const auto& [key, time] : times) {
    ages[key] = std::chrono::duration_cast<std::chrono::seconds>(now - time);
  }
  return ages;
}

/// Nothing where nobody asked, or in words that are no time.
std::optional<SystemTime> asked_test(const api::ObjectMeta& meta) {
  const auto found = meta.annotations.find(std::string(api::k_notify_test_annotation));
  if (found == meta.annotations.end()) {
    return std::nullopt;
  }
  const auto time = parse_rfc3339(found->second);
  return time ? std::optional(*time) : std::nullopt;
}

bool is_failed_prune(const api::Condition& condition) {
  return condition.type == api::condition_type::k_pruned &&
         condition.reason == api::to_string(api::Reason::prune_failed);
}

} // namespace

Store::Store(const Clock& clock, Settings settings) : m_clock(clock) {
  m_world.settings = settings;
}

void Store::changed() {
  m_dirty = true;
  m_changed.notify_all();
}

void Store::slim(api::ClusterBackup& backup) {
  backup.meta.labels.clear();
  std::erase_if(backup.meta.annotations,
                [](const auto& entry) { return entry.first != api::k_run_annotation; });
  if (!backup.finished()) {
    return;
  }
  const api::Condition* result =
      api::find_condition(backup.status.conditions, api::condition_type::k_succeeded);
  if (result->status == api::ConditionStatus::true_ && backup.status.completion_time) {
    m_last_success =
        std::max(m_last_success.value_or(SystemTime{}), *backup.status.completion_time);
  }
  api::Condition kept = *result;
  if (kept.status == api::ConditionStatus::true_) {
    kept.message.clear(); // of what failed the receivers of notices are told why
  }
  // The one condition that may still change (a new report of the agent is compared with it), which
  // servers lack a set, which is told, and what retention left behind.
  std::erase_if(backup.status.conditions, [](const api::Condition& condition) {
    return condition.type != api::condition_type::k_replicated &&
           condition.type != api::condition_type::k_copies && !is_failed_prune(condition);
  });
  backup.status.conditions.push_back(std::move(kept));
  backup.status.artifacts.clear();
  backup.status.missing.clear();
  backup.status.helm.reset();
  backup.status.servers.clear();
  forget_memory_locked(backup.meta.uid);
}

/// Of all orders of the run.
void Store::forget_memory_locked(const std::string& uid) {
  std::erase_if(m_world.memory, [&](const auto& entry) {
    return entry.first == uid || entry.first.starts_with(uid + "-");
  });
}

void Store::take_backup(const nlohmann::json& object, Source source) {
  if (auto backup = readable(api::cluster_backup_from_json(object), "a ClusterBackup", object)) {
    const std::lock_guard lock(m_mutex);
    const auto known = m_world.backups.find(backup->meta.uid);
    if (source == Source::watch || known == m_world.backups.end() ||
        !overtaken(backup->meta, known->second.meta)) {
      put_locked(*std::move(backup));
    }
  }
}

/// A run that is unfinished again, or has another id: etcd was restored. What is known of its order
/// and of its steps is of another history.
void Store::forget_other_life_locked(const api::ClusterBackup& backup) {
  const auto known = m_world.backups.find(backup.meta.uid);
  if (known == m_world.backups.end()) {
    return;
  }
  const std::string& run_id = known->second.status.run_id;
  const bool other_run = !run_id.empty() && run_id != backup.status.run_id;
  if (!backup.finished() && (known->second.finished() || other_run)) {
    forget_memory_locked(backup.meta.uid);
    for (const api::NodeBackup* order : orders_of(m_world, backup.meta.uid)) {
      if (order->finished() || other_run) {
        const std::string name = order->meta.name;
        m_world.orders.erase(name);
        m_order_changed_at.erase(name);
      }
    }
  }
}

void Store::put_locked(api::ClusterBackup backup) {
  forget_other_life_locked(backup);
  slim(backup);
  if (backup.finished()) {
    m_unfinished_since.erase(backup.meta.uid);
  } else {
    m_unfinished_since.try_emplace(backup.meta.uid, m_clock.steady_now());
  }
  std::erase_if(m_world.backups, [&](const auto& entry) {
    return entry.second.meta.name == backup.meta.name && entry.first != backup.meta.uid;
  });
  m_world.newest_run_id = std::max(m_world.newest_run_id, backup.status.run_id);
  std::string uid = backup.meta.uid;
  m_world.backups.insert_or_assign(std::move(uid), std::move(backup));
  changed();
}

void Store::remove_backup(const std::string& uid) {
  const std::lock_guard lock(m_mutex);
  m_world.backups.erase(uid);
  forget_memory_locked(uid);
  m_unfinished_since.erase(uid);
  changed();
}

void Store::take_order(const nlohmann::json& object, Source source) {
  if (auto order = readable(api::node_backup_from_json(object), "a NodeBackup", object)) {
    const std::lock_guard lock(m_mutex);
    const auto known = m_world.orders.find(order->meta.name);
    if (source == Source::watch || known == m_world.orders.end() ||
        !overtaken(order->meta, known->second.meta)) {
      put_locked(*std::move(order));
    }
  }
}

bool Store::asked_order(const std::string& name, const nlohmann::json& object) {
  take_order(object, Source::answer);
  const std::lock_guard lock(m_mutex);
  const auto known = m_world.orders.find(name);
  if (known == m_world.orders.end()) {
    return false;
  }
  // Also of one that cannot be read any more: it brings no news, however often it is asked for.
  m_world.memory[name].asked_version = known->second.meta.resource_version;
  changed();
  return true;
}

void Store::put_locked(api::NodeBackup order) {
  order.meta.labels.clear();
  order.meta.annotations.clear();
  const std::string name = order.meta.name;
  const auto known = m_world.orders.find(name);
  if (known == m_world.orders.end() || is_newer_word(known->second, order)) {
    m_order_changed_at[name] = m_clock.steady_now();
  }
  const auto owner = m_world.backups.find(owner_of(order));
  if (owner != m_world.backups.end() && !owner->second.finished()) {
    m_world.memory[name].ordered = true;
  }
  if (order.finished() && owner != m_world.backups.end() && owner->second.finished()) {
    order.status.artifacts.clear();
    order.status.missing.clear();
    order.spec.helm.reset();
  }
  m_world.orders.insert_or_assign(name, std::move(order));
  changed();
}

void Store::remove_order(const std::string& name) {
  const std::lock_guard lock(m_mutex);
  m_world.orders.erase(name);
  m_order_changed_at.erase(name);
  changed();
}

void Store::upsert_agent(const nlohmann::json& pod) {
  auto agent = agent_from_pod(pod);
  if (!agent) {
    log::warn("the pod" + name_of(pod) + " cannot be read and is left out", agent.error());
    return;
  }
  const std::lock_guard lock(m_mutex);
  Agent& known = m_world.agents[agent->pod];
  if (!(known == *agent)) {
    known = *std::move(agent);
    changed();
  }
}

void Store::remove_agent(const std::string& pod) {
  const std::lock_guard lock(m_mutex);
  m_world.agents.erase(pod);
  changed();
}

void Store::upsert_backup_status(const nlohmann::json& object) {
  auto backup_status = api::backup_status_from_json(object);
  if (!backup_status) {
    log::warn("BackupStatus cannot be read", backup_status.error());
    return;
  }
  if (backup_status->meta.name != api::k_backup_status_name) {
    return;
  }
  const std::lock_guard lock(m_mutex);
  const auto reported = [](const api::BackupStatusStatus& status, const std::string& node) {
    const auto found = std::ranges::find(status.nodes, node, &api::NodeFacts::node_name);
    return found == status.nodes.end() ? SystemTime{} : found->report_time;
  };
  for (const api::NodeFacts& facts : backup_status->status.nodes) {
    const bool is_new = !m_node_reported_at.contains(facts.node_name);
    if (is_new) {
      // Seen for the first time: it may be old, and its own clock is all that tells.
      m_node_reported_at[facts.node_name] =
          m_clock.steady_now() -
          std::max(std::chrono::seconds(0), m_clock.now() - facts.report_time);
    } else if (reported(m_backup_status, facts.node_name) != facts.report_time) {
      m_node_reported_at[facts.node_name] = m_clock.steady_now();
    }
  }
  m_notify_test = asked_test(backup_status->meta);
  m_backup_status = std::move(backup_status->status);
  m_backup_status_exists = true;
  take_servers_locked();
}

/// A run may wait for them.
void Store::take_servers_locked() {
  std::map<std::string, ServerFacts> servers;
  for (const api::NodeFacts& facts : m_backup_status.nodes) {
    servers[facts.node_name] = {facts.datastore, facts.member, facts.address, facts.public_key};
  }
  if (servers != m_world.servers) {
    m_world.servers = std::move(servers);
    changed();
  }
}

void Store::remove_backup_status() {
  const std::lock_guard lock(m_mutex);
  m_backup_status = {};
  m_backup_status_exists = false;
  m_notify_test.reset();
  m_node_reported_at.clear();
  take_servers_locked();
}

BackupStatusView Store::backup_status() const {
  const std::lock_guard lock(m_mutex);
  BackupStatusView view;
  view.exists = m_backup_status_exists;
  view.conditions = m_backup_status.conditions;
  view.controller_starts = m_backup_status.controller_starts;
  view.active_run = active_run_of(m_world);
  if (const api::ClusterBackup* run = active_run(m_world)) {
    view.running_since = run->status.start_time;
  }
  for (const api::NodeFacts& facts : m_backup_status.nodes) {
    const auto at = m_node_reported_at.at(facts.node_name);
    view.nodes.push_back(
        {facts, std::chrono::duration_cast<std::chrono::seconds>(m_clock.steady_now() - at)});
  }
  for (const auto& [pod, agent] : m_world.agents) {
    view.agent_nodes.push_back(agent.node);
  }
  for (const auto& [uid, backup] : m_world.backups) {
    auto run = status::ended_run(backup);
    if (!run || status::is_to_come(run->completion_time, m_clock.now()) ||
        (view.last_run && run->completion_time < view.last_run->completion_time) ||
        status::named_no_server(backup, m_backup_status.nodes, view.agent_nodes)) {
      continue;
    }
    view.last_run = *std::move(run);
    view.last_prune_failed = std::ranges::any_of(backup.status.conditions, is_failed_prune);
  }
  const NoticeView told = notice_view_of(m_world, m_backup_status.nodes, m_clock.now());
  view.last_copies_failed =
      told.copies && told.copies->copies->status == api::ConditionStatus::false_;
  if (told.waiting) {
    view.offsite_waiting = told.waiting->replicated->last_transition_time;
  }
  return view;
}

NoticeView Store::notice_view() const {
  const std::lock_guard lock(m_mutex);
  NoticeView view = notice_view_of(m_world, m_backup_status.nodes, m_clock.now());
  view.test_asked = m_notify_test;
  return view;
}

void Store::set_helm(const std::string& uid, HelmOutcome outcome) {
  const std::lock_guard lock(m_mutex);
  m_world.memory[uid].helm = std::move(outcome);
  changed();
}

void Store::note_helm_attempt(const std::string& uid, int attempt) {
  const std::lock_guard lock(m_mutex);
  const auto known = m_world.backups.find(uid);
  if (known != m_world.backups.end() && !known->second.finished()) {
    m_world.memory[uid].helm_begun = attempt;
  }
}

void Store::set_order_refused(const std::string& name, std::string message) {
  const std::lock_guard lock(m_mutex);
  m_world.memory[name].order_refused = std::move(message);
  changed();
}

void Store::note_run_id(const std::string& run_id) {
  const std::lock_guard lock(m_mutex);
  m_world.newest_run_id = std::max(m_world.newest_run_id, run_id);
}

void Store::set_order_gone(const std::string& name) {
  const std::lock_guard lock(m_mutex);
  m_world.memory[name].order_gone = true;
  m_world.orders.erase(name); // a watch that has gone deaf does not tell
  m_order_changed_at.erase(name);
  changed();
}

void Store::note_order_trouble(const std::string& name, std::string message) {
  const std::lock_guard lock(m_mutex);
  m_world.memory[name].order_trouble = std::move(message);
}

void Store::add_payload(const std::string& uid) {
  const std::lock_guard lock(m_mutex);
  m_world.payload_runs.insert(uid);
}

void Store::remove_payload(const std::string& uid) {
  const std::lock_guard lock(m_mutex);
  m_world.payload_runs.erase(uid);
}

void Store::begin_term(std::set<std::string> payload_runs) {
  const std::lock_guard lock(m_mutex);
  for (auto& [uid, memory] : m_world.memory) {
    RunMemory kept; // this process did not die of the step
    kept.helm_begun = memory.helm_begun;
    memory = std::move(kept);
  }
  m_world.payload_runs = std::move(payload_runs);
  for (auto& [name, time] : m_order_changed_at) {
    time = m_clock.steady_now();
  }
  for (auto& [uid, time] : m_unfinished_since) {
    time = m_clock.steady_now();
  }
  changed();
}

bool Store::needs_recipients() const {
  const std::lock_guard lock(m_mutex);
  const api::ClusterBackup* active = active_run(m_world);
  return active != nullptr &&
         (orders_of(m_world, active->meta.uid).empty() ||
          std::ranges::find(active->status.servers,
                            api::CopyState::pending,
                            &api::ServerCopy::result) != active->status.servers.end());
}

Plan Store::make_plan(std::optional<RecipientsProblem> problem) {
  const std::lock_guard lock(m_mutex);
  m_dirty = false;
  m_world.now = m_clock.now();
  m_world.recipients_problem = std::move(problem);
  m_world.order_silence = ages(m_order_changed_at, m_clock.steady_now());
  m_world.unfinished_for = ages(m_unfinished_since, m_clock.steady_now());
  return plan(m_world);
}

std::size_t Store::unfinished() const {
  const std::lock_guard lock(m_mutex);
  return static_cast<std::size_t>(std::ranges::count_if(
      m_world.backups, [](const auto& entry) { return !entry.second.finished(); }));
}

std::optional<SystemTime> Store::last_success() const {
  const std::lock_guard lock(m_mutex);
  return m_last_success;
}

void Store::wait(std::chrono::milliseconds duration, const std::stop_token& stop) {
  std::unique_lock lock(m_mutex);
  m_changed.wait_for(lock, stop, duration, [&] { return m_dirty; });
}

} // namespace rb::controller

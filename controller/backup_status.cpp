#include "controller/backup_status.hpp"

#include "controller/orders.hpp"
#include "controller/plan.hpp"
#include "controller/store.hpp"
#include "status/cron.hpp"
#include "terminal/log.hpp"

#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::controller {

namespace {

using api::ConditionStatus;
using std::chrono::seconds;

constexpr seconds k_gone_after{std::chrono::hours(24)};
constexpr std::size_t k_schedule_limit = 256; ///< As in crds/.
constexpr std::string_view k_field_manager = "railiance-backup-controller";

bool is_utc(const std::string& zone) {
  return zone.empty() || zone == "UTC" || zone == "Etc/UTC" || zone == "Etc/UCT" || zone == "GMT";
}

status::CurrentInput
input_of(const BackupStatusView& view, const Expectation& expectation, SystemTime now) {
  status::CurrentInput input = static_cast<const status::CurrentInput&>(view);
  input.now = now;
  input.expected_interval = expected_interval(expectation, now);
  input.nodes = living_nodes(view);
  return input;
}

status::Current
current_of(const BackupStatusView& view, const Expectation& expectation, SystemTime now) {
  return status::judge(input_of(view, expectation, now));
}

std::optional<SystemTime> next_time(const Expectation& expectation, SystemTime now) {
  const auto cron = status::Cron::parse(expectation.schedule);
  return cron && is_utc(expectation.time_zone) ? cron->next(now) : std::nullopt;
}

status::Family current_family(const status::Current& current) {
  status::Family family{
      "railiance_backup_current", "The condition BackupCurrent: 1 for the status that holds.", {}};
  for (const ConditionStatus status :
       {ConditionStatus::true_, ConditionStatus::false_, ConditionStatus::unknown}) {
    family.samples.push_back({{{"status", std::string(api::to_string(status))}},
                              status::status_of(current.reason) == status ? 1.0 : 0.0});
  }
  return family;
}

status::Family last_run_state(const std::optional<api::LastRun>& run) {
  status::Family family{"railiance_backup_controller_last_run_state",
                        "1 for what came of the last ClusterBackup that ended; all 0: none did.",
                        {}};
  const bool incomplete = run && run->reason == api::to_string(api::Reason::incomplete);
  const char* const state = !run             ? ""
                            : run->succeeded ? "Succeeded"
                            : incomplete     ? "Incomplete"
                                             : "Failed";
  for (const std::string_view known : {"Succeeded", "Incomplete", "Failed"}) {
    family.samples.push_back({{{"state", std::string(known)}}, known == state ? 1.0 : 0.0});
  }
  return family;
}

status::Family last_run_reason(const std::optional<api::LastRun>& run) {
  status::Family family{"railiance_backup_controller_last_run_reason",
                        "1 for the reason of the last ClusterBackup that ended.",
                        {}};
  const std::string not_mounted(api::to_string(api::Reason::storage_not_mounted));
  const std::string reason = run ? run->reason : "";
  // There with 0, too: an alert asks for it.
  family.samples.push_back({{{"reason", not_mounted}}, reason == not_mounted ? 1.0 : 0.0});
  if (!reason.empty() && reason != not_mounted) {
    family.samples.push_back({{{"reason", reason}}, 1.0});
  }
  return family;
}

status::Family time_family(const char* name, const char* help, std::optional<SystemTime> time) {
  return {name,
          help,
          {{{}, static_cast<double>(time.value_or(SystemTime{}).time_since_epoch().count())}}};
}

} // namespace

seconds expected_interval(const Expectation& expectation, SystemTime now) {
  if (expectation.interval.count() > 0 || expectation.schedule.empty()) {
    return expectation.interval;
  }
  const auto cron = status::Cron::parse(expectation.schedule);
  return cron ? cron->longest_pause(now).value_or(seconds(0)) : seconds(0);
}

std::optional<status::ActiveRun> active_run_of(const Observed& world) {
  const api::ClusterBackup* run = active_run(world);
  if (run == nullptr) {
    return std::nullopt;
  }
  status::ActiveRun active{run->meta.name, run->meta.creation_timestamp, std::nullopt};
  if (run->status.start_time) {
    active.last_progress = *run->status.start_time;
    active.deadline = *run->status.start_time + std::chrono::seconds{run->spec.deadline_seconds};
  }
  for (const api::NodeBackup* order : orders_of(world, run->meta.uid)) {
    active.last_progress =
        std::max(active.last_progress, order->status.heartbeat_time.value_or(active.last_progress));
  }
  return active;
}

std::vector<status::NodeSeen> living_nodes(const BackupStatusView& view) {
  std::vector<status::NodeSeen> living = view.nodes;
  for (status::NodeSeen& node : living) {
    node.has_agent =
        std::ranges::find(view.agent_nodes, node.facts.node_name) != view.agent_nodes.end();
  }
  std::erase_if(living, [](const status::NodeSeen& node) {
    return !node.has_agent && node.silence > k_gone_after;
  });
  return living;
}

api::BackupStatusStatus
backup_status_of(const BackupStatusView& view, const Expectation& expectation, SystemTime now) {
  const status::Current current = current_of(view, expectation, now);
  api::BackupStatusStatus status;
  status.conditions = view.conditions;
  api::set_condition(status.conditions,
                     {std::string(api::condition_type::k_backup_current),
                      status::status_of(current.reason),
                      std::string(status::to_string(current.reason)),
                      current.message,
                      {},
                      1},
                     now);
  status.observed_time = now;
  status.schedule = expectation.schedule.substr(0, k_schedule_limit);
  status.time_zone = expectation.schedule.empty() ? "" : expectation.time_zone;
  status.next_schedule_time = next_time(expectation, now);
  status.expected_interval_seconds = expected_interval(expectation, now).count();
  status.last_success_time = current.last_success_time;
  status.last_success_run_id = current.last_success_run_id;
  status.last_success_node = current.last_success_node;
  status.last_run = view.last_run;
  status.controller_starts = view.controller_starts;
  return status;
}

std::optional<api::Condition>
settled_current(const BackupStatusView& view, const Expectation& expectation, SystemTime now) {
  constexpr auto k_type = api::condition_type::k_backup_current;
  const api::BackupStatusStatus judged = backup_status_of(view, expectation, now);
  const api::Condition* const written = api::find_condition(view.conditions, k_type);
  const api::Condition* const next = api::find_condition(judged.conditions, k_type);
  return written != nullptr && written->status == next->status ? std::optional(*next)
                                                               : std::nullopt;
}

std::vector<SystemTime> with_start(std::vector<SystemTime> starts, SystemTime start) {
  if (std::ranges::find(starts, start) == starts.end()) {
    starts.push_back(start);
  }
  std::ranges::sort(starts);
  if (starts.size() > api::k_controller_starts_limit) {
    starts.erase(starts.begin(),
                 starts.end() - static_cast<std::ptrdiff_t>(api::k_controller_starts_limit));
  }
  return starts;
}

bool says_more(const api::BackupStatusStatus& next, const api::BackupStatusStatus& written) {
  const auto word = [](const api::BackupStatusStatus& status) {
    const api::Condition* condition =
        api::find_condition(status.conditions, api::condition_type::k_backup_current);
    return condition == nullptr ? std::string() : condition->reason;
  };
  return word(next) != word(written) || next.next_schedule_time != written.next_schedule_time ||
         next.expected_interval_seconds != written.expected_interval_seconds ||
         next.last_success_time != written.last_success_time || next.last_run != written.last_run ||
         next.controller_starts != written.controller_starts;
}

std::vector<status::Family> backup_status_families(const BackupStatusView& view,
                                                   const Expectation& expectation,
                                                   SystemTime now) {
  const status::Current current = current_of(view, expectation, now);
  const status::Copies copies = status::copies_of(input_of(view, expectation, now));
  std::vector<api::NodeFacts> facts;
  for (const status::NodeSeen& node : living_nodes(view)) {
    facts.push_back(node.facts);
  }
  std::vector<status::Family> families{
      current_family(current),
      status::expected_interval(expected_interval(expectation, now)),
      {"railiance_backup_controller_servers",
       "Servers with embedded etcd and an agent.",
       {{{}, static_cast<double>(copies.servers)}}},
      {"railiance_backup_controller_servers_with_current_set",
       "Of these, servers whose own newest complete set is young enough.",
       {{{}, static_cast<double>(copies.current)}}},
      last_run_state(view.last_run),
      {"railiance_backup_controller_run_stalled",
       "1: a run, or a request that waits for its turn, does not get on.",
       {{{}, view.active_run && status::is_stalled(*view.active_run, now) ? 1.0 : 0.0}}},
      {"railiance_backup_controller_recent_starts",
       "Starts of the controller within the last 30 minutes.",
       {{{}, static_cast<double>(status::recent_starts(view.controller_starts, now))}}},
      last_run_reason(view.last_run),
      {"railiance_backup_controller_last_run_prune_failed",
       "1: the last ClusterBackup that ended could not remove a set that is not kept.",
       {{{}, view.last_prune_failed ? 1.0 : 0.0}}},
      {"railiance_backup_controller_last_run_copies_failed",
       "1: a server has no set of the last ClusterBackup of several servers that succeeded.",
       {{{}, view.last_copies_failed ? 1.0 : 0.0}}},
      time_family(
          "railiance_backup_controller_offsite_waiting_timestamp_seconds",
          "Since when a run waits to be copied off-site, without an attempt that failed; 0: none.",
          view.offsite_waiting),
      time_family("railiance_backup_controller_last_run_timestamp_seconds",
                  "When the last ClusterBackup ended, whatever came of it; 0: none did.",
                  view.last_run ? std::optional(view.last_run->completion_time) : std::nullopt),
      time_family(
          "railiance_backup_controller_next_schedule_timestamp_seconds",
          "When the schedule comes next; 0: there is none, its zone is not UTC, or it is @every.",
          next_time(expectation, now))};
  for (status::Family& family : status::families_of(facts)) {
    families.push_back(std::move(family));
  }
  return families;
}

BackupStatusReporter::BackupStatusReporter(kube::Client& client,
                                           const Store& store,
                                           const Clock& clock,
                                           Expectation expectation,
                                           std::function<bool()> synced,
                                           BackupStatusTimes times)
    : m_client(client), m_store(store), m_clock(clock), m_expectation(std::move(expectation)),
      m_synced(std::move(synced)), m_times(times), m_process_start(clock.now()) {}

void BackupStatusReporter::start() {
  m_written_at.reset();
  m_thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void BackupStatusReporter::stop() {
  m_thread = {}; // ends the one before, and waits for that
}

Status BackupStatusReporter::visit(const std::stop_token& stop) {
  BackupStatusView view = m_store.backup_status();
  view.controller_starts = with_start(std::move(view.controller_starts), m_process_start);
  if (!view.exists) {
    const auto made = m_client.create(kube::k_backup_statuses, "", api::new_backup_status(), stop);
    if (!made && made.error().code != ErrorCode::already_exists) {
      return made.error();
    }
  }
  api::BackupStatusStatus next = backup_status_of(view, m_expectation, m_clock.now());
  const auto now = m_clock.steady_now();
  if (m_written_at && now - *m_written_at < m_times.renew && !says_more(next, m_written)) {
    return {};
  }
  const auto written = m_client.patch(
      {kube::k_backup_statuses, "", std::string(api::k_backup_status_name), "status"},
      kube::PatchType::apply,
      api::controller_apply(next),
      stop,
      k_field_manager);
  if (!written) {
    return written.error();
  }
  m_written = std::move(next);
  m_written_at = now;
  return remove_nodes(m_client, forgotten_nodes(view), stop);
}

void BackupStatusReporter::run(const std::stop_token& stop) {
  bool failing = false;
  while (!stop.stop_requested()) {
    // Not before all is listed: what is not known yet must not be said to be missing.
    const Status visited = m_synced() ? visit(stop) : Status();
    if (!visited && !failing && !stop.stop_requested()) {
      log::warn("BackupStatus", visited.error());
    }
    failing = !visited; // said once for each time that it begins to fail
    RealWaiter().wait(m_times.look, stop);
  }
}

} // namespace rb::controller

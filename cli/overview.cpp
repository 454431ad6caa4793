#include "cli/overview.hpp"

#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::cli {

namespace {

using api::ConditionStatus;
using Rows = std::vector<std::vector<std::string>>;

constexpr const char* k_unknown = "unknown";

enum class Shade { good, bad, doubtful };

std::string shaded(const std::string& text, Shade shade, bool colour) {
  if (!colour) {
    return text;
  }
  const char* const code = shade == Shade::good ? "32" : shade == Shade::bad ? "31" : "33";
  return std::string("\x1b[1;") + code + "m" + text + "\x1b[0m";
}

std::string ago(SystemTime time, SystemTime now) {
  return time > now ? "in " + format_age(time - now) : format_age(now - time) + " ago";
}

std::string headline(const status::Current& current, bool colour) {
  const std::string reason(status::to_string(current.reason));
  switch (status::status_of(current.reason)) {
  case ConditionStatus::true_:
    return shaded("CURRENT", Shade::good, colour) + ": " + terminal_text(current.message) + "\n";
  case ConditionStatus::false_:
    return shaded("NOT CURRENT", Shade::bad, colour) + " (" + reason +
           "): " + terminal_text(current.message) + "\n";
  case ConditionStatus::unknown:
    return shaded("UNKNOWN", Shade::doubtful, colour) + " (" + reason +
           "): " + terminal_text(current.message) + "\n";
  }
  return {};
}

std::string interval_text(std::int64_t seconds) {
  return seconds == 0 ? std::string(k_unknown)
                      : "every " + format_age(std::chrono::seconds(seconds));
}

void add_backup(Rows& rows, const Overview& all) {
  const status::Current& current = all.current;
  if (!all.standing || !current.last_success_time) {
    rows.push_back({"last backup", all.standing ? "none" : k_unknown});
    return;
  }
  rows.push_back({"last backup",
                  format_rfc3339(*current.last_success_time) + " (" +
                      ago(*current.last_success_time, all.now) + "), " +
                      current.last_success_run_id + " on " + current.last_success_node});
}

void add_run(Rows& rows, const Overview& all) {
  if (const api::ClusterBackup* backup = running(all)) {
    rows.push_back({"running", backup->meta.name});
  }
  const auto run = all.standing ? last_run(*all.standing, all.backups) : std::nullopt;
  if (run) {
    rows.push_back(
        {"last run", run->name + ": " + run->reason + ", " + ago(run->completion_time, all.now)});
  } else {
    rows.push_back({"last run", all.standing ? "none" : k_unknown});
  }
}

void add_schedule(Rows& rows, const Overview& all) {
  if (!all.standing) {
    rows.push_back({"schedule", k_unknown});
    return;
  }
  const api::BackupStatusStatus& standing = *all.standing;
  rows.push_back({"expected", interval_text(standing.expected_interval_seconds)});
  if (standing.schedule.empty()) {
    rows.push_back({"next run", "no schedule"});
    return;
  }
  const bool kept = all.current.reason != status::CurrentReason::controller_unavailable;
  const std::string cron = "\"" + standing.schedule + "\" " + standing.time_zone;
  rows.push_back({"next run",
                  !kept ? "unknown: no controller to carry it out; it was " + cron
                  : standing.next_schedule_time
                      ? format_rfc3339(*standing.next_schedule_time) + " (" +
                            ago(*standing.next_schedule_time, all.now) + "), " + cron
                      : std::string(k_unknown) + ", " + cron});
}

void add_offsite(Rows& rows, const Overview& all) {
  const api::Condition* condition = offsite(all);
  if (!all.backups_problem.empty()) {
    rows.push_back({"off-site", std::string(k_unknown) + ": " + all.backups_problem});
  } else if (condition == nullptr) {
    rows.push_back({"off-site", "not set up, or not tried yet"});
  } else {
    rows.push_back({"off-site",
                    condition->status == ConditionStatus::true_
                        ? "copied: " + condition->message
                        : condition->reason + ": " + condition->message});
  }
}

std::string drill_text(const api::NodeFacts& node, SystemTime now) {
  if (node.last_drill_time == SystemTime{}) {
    return "never";
  }
  return node.last_drill_result + " " + ago(node.last_drill_time, now) + ", " +
         (node.last_drill_run_id.empty() ? "no set" : node.last_drill_run_id) +
         (node.last_drill_booted ? ", booted" : "");
}

std::string artifacts_text(const api::NodeFacts& node) {
  std::string text;
  for (const api::ArtifactType type : api::k_all_artifacts) {
    const auto found = node.artifacts.find(type);
    text += (text.empty() ? "" : ", ") + std::string(api::to_string(type)) + " " +
            (found == node.artifacts.end() ? "none" : format_size(found->second.size_bytes));
  }
  return text;
}

/// Empty where all is the host's own.
std::string untrusted_text(const api::NodeFacts& node) {
  return node.untrusted_sets + node.untrusted_files == 0
             ? std::string()
             : "; NOT WHAT THE HOST MADE: " + std::to_string(node.untrusted_sets) + " sets, " +
                   std::to_string(node.untrusted_files) +
                   " files beside them (railiance-restore verify --all)";
}

std::string datastore_text(api::Datastore datastore) {
  switch (datastore) {
  case api::Datastore::unknown:
    break;
  case api::Datastore::embedded_etcd:
    return "embedded etcd";
  case api::Datastore::sqlite:
    return "SQLite: no etcd snapshots";
  case api::Datastore::external:
    return "external: no etcd snapshots";
  case api::Datastore::none:
    return "none on this node: no backups are made here";
  }
  return {};
}

void add_node(Rows& rows, const api::NodeFacts& node, SystemTime now) {
  rows.push_back({"node " + node.node_name,
                  "agent " + (node.version.empty() ? std::string(k_unknown) : node.version) +
                      " reported " + ago(node.report_time, now) +
                      (node.clock_anomaly ? "; ITS CLOCK IS BEHIND ITS BACKUPS" : "")});
  if (node.datastore != api::Datastore::unknown) { // an agent that does not say it
    rows.push_back({"  datastore", datastore_text(node.datastore)});
  }
  rows.push_back({"  sets",
                  std::to_string(node.complete_sets) + " complete, " +
                      std::to_string(node.incomplete_sets) + " incomplete, " +
                      std::to_string(node.damaged_sets) + " damaged; " +
                      format_size(node.retained_bytes) + untrusted_text(node)});
  rows.push_back({"  artifacts", artifacts_text(node)});
  rows.push_back({"  etcd",
                  "revision " + std::to_string(node.etcd_revision) + ", " +
                      std::to_string(node.etcd_keys) + " keys"});
  rows.push_back({"  disk",
                  format_size(node.disk_free_bytes) + " free of " +
                      format_size(node.disk_size_bytes) + "; the next backup takes up to " +
                      format_size(node.next_run_bytes)});
  rows.push_back({"  recipients",
                  std::to_string(node.recipients) +
                      (node.recipients == 1 ? " (one lost key would lose all backups)" : "") +
                      (node.recipient_rule.empty() ? "" : ", by " + node.recipient_rule)});
  rows.push_back({"  drill", drill_text(node, now)});
}

nlohmann::json time_or_null(const std::optional<SystemTime>& time) {
  return time ? nlohmann::json(format_rfc3339(*time)) : nlohmann::json();
}

nlohmann::json standing_json(const api::BackupStatusStatus& standing) {
  // The form of the API, without what is said elsewhere.
  nlohmann::json json = api::controller_apply(standing)["status"];
  json.erase("conditions");
  json["nextScheduleTime"] = time_or_null(standing.next_schedule_time);
  json["lastSuccessTime"] = time_or_null(standing.last_success_time);
  json["nodes"] = nlohmann::json::array();
  for (const api::NodeFacts& node : standing.nodes) {
    json["nodes"].push_back(api::to_json(node));
  }
  return json;
}

} // namespace

std::optional<api::LastRun> last_run(const api::BackupStatusStatus& standing,
                                     const std::vector<api::ClusterBackup>& backups) {
  std::optional<api::LastRun> last = standing.last_run;
  for (const api::ClusterBackup& backup : backups) {
    auto run = status::ended_run(backup);
    if (run && !status::named_no_server(backup, standing.nodes) &&
        (!last || run->completion_time > last->completion_time)) {
      last = std::move(run);
    }
  }
  return last;
}

status::Current judge_now(const api::BackupStatusStatus& standing,
                          const std::vector<api::ClusterBackup>& backups,
                          Presence controller,
                          SystemTime now) {
  using status::CurrentReason;
  status::Current read = status::as_read(standing, now);
  if (read.reason == CurrentReason::controller_unavailable) {
    return read;
  }
  if (const std::string gone = describe(controller); !gone.empty()) {
    read.message = gone + "; then it was " + std::string(status::to_string(read.reason));
    read.reason = CurrentReason::controller_unavailable;
    return read;
  }
  if (standing.nodes.empty() || read.reason == CurrentReason::facts_stale ||
      read.reason == CurrentReason::run_stalled) {
    return read;
  }
  status::CurrentInput input;
  input.now = std::max(now, *standing.observed_time); // our clock may be behind the cluster's
  input.expected_interval = std::chrono::seconds(standing.expected_interval_seconds);
  for (const api::NodeFacts& node : standing.nodes) {
    const auto silence =
        std::max(std::chrono::seconds(0), *standing.observed_time - node.report_time);
    if (silence <= std::chrono::hours(24)) {
      input.nodes.push_back({node, silence});
    }
  }
  input.last_run = last_run(standing, backups);
  input.controller_starts = standing.controller_starts;
  return input.nodes.empty() ? read : status::judge(input);
}

const api::ClusterBackup* running(const Overview& overview) {
  const auto found = std::ranges::find_if(overview.backups, [](const api::ClusterBackup& backup) {
    return !backup.finished() && backup.status.start_time.has_value();
  });
  return found == overview.backups.end() ? nullptr : &*found;
}

const api::Condition* offsite(const Overview& overview) {
  const api::Condition* newest = nullptr;
  SystemTime time{};
  for (const api::ClusterBackup& backup : overview.backups) {
    const api::Condition* condition =
        api::find_condition(backup.status.conditions, api::condition_type::k_replicated);
    if (condition != nullptr && backup.status.completion_time.value_or(SystemTime{}) >= time) {
      newest = condition;
      time = backup.status.completion_time.value_or(SystemTime{});
    }
  }
  return newest;
}

std::string advice(const status::Current& current) {
  switch (current.reason) {
  case status::CurrentReason::current:
    return {};
  case status::CurrentReason::never_ran:
    return "make the first one: railiance-backup create --wait";
  case status::CurrentReason::stale:
    return "does the schedule run? kubectl -n railiance-backup get cronjob,job; then: "
           "railiance-backup create --wait";
  case status::CurrentReason::last_failed:
  case status::CurrentReason::incomplete:
    return "railiance-backup list, then railiance-backup show NAME, says why";
  case status::CurrentReason::agent_unavailable:
  case status::CurrentReason::facts_stale:
    return "kubectl -n railiance-backup get pods -l app.kubernetes.io/component=agent; on the "
           "server, railiance-restore list shows what the disk holds";
  case status::CurrentReason::clock_anomaly:
    return "set the clock of the server right (timedatectl)";
  case status::CurrentReason::no_expected_interval:
    return "enable the schedule, or set monitoring.expectedIntervalSeconds of the chart";
  case status::CurrentReason::run_stalled:
    return "railiance-backup list, then railiance-backup show NAME, says where it stands; then: "
           "kubectl -n railiance-backup get pods";
  case status::CurrentReason::controller_restarting:
    return "kubectl -n railiance-backup describe pod -l app.kubernetes.io/component=controller "
           "says why it ended (OOMKilled: raise controller.resources.limits.memory)";
  case status::CurrentReason::controller_unavailable:
    return "kubectl -n railiance-backup get deployment,pods; on the server, railiance-restore list "
           "shows what the disk holds";
  }
  return {};
}

std::string describe(const Overview& overview, bool colour) {
  Rows rows;
  add_backup(rows, overview);
  add_run(rows, overview);
  add_schedule(rows, overview);
  add_offsite(rows, overview);
  if (overview.standing && overview.standing->observed_time) {
    rows.push_back(
        {"controller", "looked " + ago(*overview.standing->observed_time, overview.now)});
  } else {
    rows.push_back({"controller", k_unknown});
  }
  if (!overview.standing || overview.standing->nodes.empty()) {
    rows.push_back({"nodes", k_unknown});
  } else {
    for (const api::NodeFacts& node : overview.standing->nodes) {
      add_node(rows, node, overview.now);
    }
  }
  return headline(overview.current, colour) + text_table(rows);
}

nlohmann::json to_json(const Overview& overview) {
  nlohmann::json json{
      {"current", api::to_string(status::status_of(overview.current.reason))},
      {"reason", status::to_string(overview.current.reason)},
      {"message", overview.current.message},
      {"exitCode", static_cast<int>(status::exit_code_for(overview.current.reason))},
      {"status", nullptr},
      {"running", nullptr},
      {"offsite", nullptr}};
  if (overview.standing) {
    json["status"] = standing_json(*overview.standing);
  }
  if (const api::ClusterBackup* backup = running(overview)) {
    json["running"] = backup->meta.name;
  }
  if (const api::Condition* condition = offsite(overview)) {
    json["offsite"] = {{"status", api::to_string(condition->status)},
                       {"reason", condition->reason},
                       {"message", condition->message}};
  }
  return json;
}

} // namespace rb::cli

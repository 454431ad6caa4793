// status: one look at the whole. What it says is made purely, from what was gathered.
#include "cli/commands.hpp"
#include "cli/connect.hpp"
#include "cli/report.hpp"
#include "terminal/format.hpp"
#include "terminal/terminal_text.hpp"

#include "kube/resource.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace rb::cli {

namespace {

using api::ConditionStatus;

constexpr const char* k_unknown = "unknown";

/// All that `status` shows.
struct Overview {
  SystemTime now{};
  status::Current current;
  std::optional<api::BackupStatusStatus> backup_status; ///< Absent: it could not be read.
  std::vector<api::ClusterBackup> backups;
  std::string backups_problem; ///< Why `backups` could not be read; empty when they could.
};

/// Our clock may be behind the cluster's.
SystemTime latest_now(const api::BackupStatusStatus& backup_status, SystemTime now) {
  return std::max(now, backup_status.observed_time.value_or(now));
}

/// The newest run that ended and says something of the cluster's backups.
std::optional<api::LastRun> last_run(const api::BackupStatusStatus& backup_status,
                                     const std::vector<api::ClusterBackup>& backups,
                                     SystemTime now) {
  std::optional<api::LastRun> last = backup_status.last_run;
  if (last && status::is_to_come(last->completion_time, now)) {
    last.reset();
  }
  for (const api::ClusterBackup& backup : backups) {
    auto run = status::ended_run(backup);
    if (run && !status::is_to_come(run->completion_time, now) &&
        !status::named_no_server(backup, backup_status.nodes) &&
        (!last || run->completion_time > last->completion_time)) {
      last = std::move(run);
    }
  }
  return last;
}

/// What holds now: judged by what the API has at this moment, not by what the controller wrote when
/// it last looked; but what only the controller can know (who is silent, for how long) is believed.
status::Current judge_now(const api::BackupStatusStatus& backup_status,
                          const std::vector<api::ClusterBackup>& backups,
                          Presence controller,
                          SystemTime now) {
  using status::CurrentReason;
  status::Current read = status::as_read(backup_status, now);
  if (read.reason == CurrentReason::controller_unavailable) {
    return read;
  }
  if (const std::string gone = describe(controller); !gone.empty()) {
    read.message = gone + "; then it was " + std::string(status::to_string(read.reason));
    read.reason = CurrentReason::controller_unavailable;
    return read;
  }
  if (backup_status.nodes.empty() || read.reason == CurrentReason::facts_stale ||
      read.reason == CurrentReason::run_stalled) {
    return read;
  }
  status::CurrentInput input;
  input.now = latest_now(backup_status, now);
  input.expected_interval = std::chrono::seconds(backup_status.expected_interval_seconds);
  input.nodes = status::nodes_as_read(backup_status);
  std::erase_if(input.nodes,
                [](const status::NodeSeen& node) { return node.silence > std::chrono::hours(24); });
  input.last_run = last_run(backup_status, backups, input.now);
  for (const api::ClusterBackup& backup : backups) {
    if (!backup.finished() && backup.status.start_time) {
      input.running_since = backup.status.start_time;
    }
  }
  input.controller_starts = backup_status.controller_starts;
  return input.nodes.empty() ? read : status::judge(input);
}

/// The run that goes on, or null.
const api::ClusterBackup* running(const Overview& overview) {
  const auto found = std::ranges::find_if(overview.backups, [](const api::ClusterBackup& backup) {
    return !backup.finished() && backup.status.start_time.has_value();
  });
  return found == overview.backups.end() ? nullptr : &*found;
}

/// The condition Replicated of the newest backup that has it, or null.
const api::Condition* offsite(const Overview& overview) {
  const api::Condition* newest = nullptr;
  SystemTime time{};
  const SystemTime now =
      overview.backup_status ? latest_now(*overview.backup_status, overview.now) : overview.now;
  for (const api::ClusterBackup& backup : overview.backups) {
    const api::Condition* condition =
        api::find_condition(backup.status.conditions, api::condition_type::k_replicated);
    const SystemTime end = backup.status.completion_time.value_or(SystemTime{});
    if (condition != nullptr && end >= time && !status::is_to_come(end, now)) {
      newest = condition;
      time = end;
    }
  }
  return newest;
}

enum class Shade { good, bad, doubtful };

std::string shaded(const std::string& text, Shade shade, bool colour) {
  if (!colour) {
    return text;
  }
  const char* const code = shade == Shade::good ? "32" : shade == Shade::bad ? "31" : "33";
  return std::string("\x1b[1;") + code + "m" + text + "\x1b[0m";
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
  if (!all.backup_status || !current.last_success_time) {
    rows.push_back({"last backup", all.backup_status ? "none" : k_unknown});
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
  const auto run =
      all.backup_status
          ? last_run(*all.backup_status, all.backups, latest_now(*all.backup_status, all.now))
          : std::nullopt;
  if (run) {
    rows.push_back(
        {"last run", run->name + ": " + run->reason + ", " + ago(run->completion_time, all.now)});
  } else {
    rows.push_back({"last run", all.backup_status ? "none" : k_unknown});
  }
}

void add_schedule(Rows& rows, const Overview& all) {
  if (!all.backup_status) {
    rows.push_back({"schedule", k_unknown});
    return;
  }
  const api::BackupStatusStatus& backup_status = *all.backup_status;
  rows.push_back({"expected", interval_text(backup_status.expected_interval_seconds)});
  if (backup_status.schedule.empty()) {
    rows.push_back({"next run", "no schedule"});
    return;
  }
  const bool kept = all.current.reason != status::CurrentReason::controller_unavailable;
  const std::string cron = "\"" + backup_status.schedule + "\" " + backup_status.time_zone;
  rows.push_back({"next run",
                  !kept ? "unknown: no controller to carry it out; it was " + cron
                  : backup_status.next_schedule_time
                      ? format_rfc3339(*backup_status.next_schedule_time) + " (" +
                            ago(*backup_status.next_schedule_time, all.now) + "), " + cron
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

/// Nothing where nobody is told.
void add_notified(Rows& rows, const Overview& all) {
  if (!all.backup_status) {
    return;
  }
  for (const api::ReceiverState& state : all.backup_status->notified) {
    const auto last = std::ranges::max_element(state.topics, {}, &api::ToldTopic::time);
    rows.push_back(
        {"notices",
         state.receiver + ": " +
             (state.failing_since ? "CANNOT BE TOLD since " + format_rfc3339(*state.failing_since) +
                                        ": " + state.last_error
              : last == state.topics.end()
                  ? "nothing was to be told yet"
                  : "told of " + last->topic + ", " + ago(last->time, all.now))});
  }
}

nlohmann::json time_or_null(const std::optional<SystemTime>& time) {
  return time ? nlohmann::json(format_rfc3339(*time)) : nlohmann::json();
}

nlohmann::json backup_status_json(const api::BackupStatusStatus& backup_status) {
  // The form of the API, without what is said elsewhere.
  nlohmann::json json = api::controller_apply(backup_status)["status"];
  json.erase("conditions");
  json["nextScheduleTime"] = time_or_null(backup_status.next_schedule_time);
  json["lastSuccessTime"] = time_or_null(backup_status.last_success_time);
  json["nodes"] = nlohmann::json::array();
  for (const api::NodeFacts& node : backup_status.nodes) {
    json["nodes"].push_back(api::to_json(node));
  }
  json["notified"] = api::to_json(backup_status.notified);
  return json;
}

/// One look at all of it. What is not known is called "unknown". With `colour`, words that matter
/// are green, red or yellow.
std::string describe(const Overview& overview, bool colour) {
  Rows rows;
  add_backup(rows, overview);
  add_run(rows, overview);
  add_schedule(rows, overview);
  add_offsite(rows, overview);
  add_notified(rows, overview);
  if (overview.backup_status && overview.backup_status->observed_time) {
    rows.push_back(
        {"controller", "looked " + ago(*overview.backup_status->observed_time, overview.now)});
  } else {
    rows.push_back({"controller", k_unknown});
  }
  if (!overview.backup_status || overview.backup_status->nodes.empty()) {
    rows.push_back({"nodes", k_unknown});
  } else {
    const auto& nodes = overview.backup_status->nodes;
    for (const api::NodeFacts& node : nodes) {
      std::ranges::move(node_rows(node, overview.now), std::back_inserter(rows));
      if (nodes.size() > 1 && !node.public_key.empty()) {
        rows.push_back({"  signs with", node.public_key});
      }
    }
  }
  return headline(overview.current, colour) + text_table(rows);
}

/// The same for scripts; what is not known is null.
nlohmann::json to_json(const Overview& overview) {
  nlohmann::json json{
      {"current", api::to_string(status::status_of(overview.current.reason))},
      {"reason", status::to_string(overview.current.reason)},
      {"message", overview.current.message},
      {"exitCode", static_cast<int>(status::exit_code_for(overview.current.reason))},
      {"status", nullptr},
      {"running", nullptr},
      {"offsite", nullptr}};
  if (overview.backup_status) {
    json["status"] = backup_status_json(*overview.backup_status);
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

/// No controller that knows the object, or no right to read it: then nothing is proven.
bool leaves_unknown(const Error& error) {
  return error.code == ErrorCode::not_found ||
         (error.code == ErrorCode::permission_denied && error.http_status == 403);
}

Status read_backups(Api& api, const Io& io, Overview& overview) {
  const auto items = api.client().list_all(kube::k_cluster_backups, "", {}, io.stop);
  if (!items) {
    overview.backups_problem = items.error().message;
    return items.error();
  }
  for (const nlohmann::json& item : *items) {
    if (auto backup = api::cluster_backup_from_json(item)) {
      overview.backups.push_back(*std::move(backup));
    }
  }
  return {};
}

/// Neither kind is known: then there is no railiance-backup to ask.
bool is_nowhere(const Error& backup_status, const Status& backups) {
  return backup_status.code == ErrorCode::not_found && !backups &&
         backups.error().code == ErrorCode::not_found;
}

} // namespace

int status(Api& api, OutputFormat output, Io& io) {
  Overview overview;
  overview.now = io.clock.now();
  auto backup_status = read_backup_status(api.client(), io.stop);
  if (!backup_status && !leaves_unknown(backup_status.error())) {
    return fail_unanswered(io, backup_status.error(), api.server());
  }
  const Status backups = read_backups(api, io, overview);
  if (backup_status) {
    overview.backup_status = std::move(backup_status->status);
    const ControllerSeen controller = look_for_controller(api, io);
    overview.now = cluster_time(controller, overview.now); // our clock may be ahead
    overview.current =
        judge_now(*overview.backup_status, overview.backups, controller.presence, overview.now);
  } else if (is_nowhere(backup_status.error(), backups)) {
    static_cast<void>(fail(io, not_installed(backup_status.error())));
    return static_cast<int>(status::exit_code_for(status::CurrentReason::controller_unavailable));
  } else {
    overview.current.reason = status::CurrentReason::controller_unavailable;
    overview.current.message = backup_status.error().code == ErrorCode::not_found
                                   ? "no controller has looked yet: there is no BackupStatus"
                                   : backup_status.error().message;
  }
  if (output == OutputFormat::json) {
    io.out << json_lines(to_json(overview));
  } else {
    io.out << describe(overview, io.out_colour);
    if (const std::string hint = advice(overview.current); !hint.empty()) {
      io.out << "\nhint: " << hint << '\n';
    }
  }
  return static_cast<int>(status::exit_code_for(overview.current.reason));
}

} // namespace rb::cli

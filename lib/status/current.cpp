#include "status/current.hpp"

#include "set/retention.hpp"

#include "api/backup.hpp"

#include <algorithm>
#include <array>

namespace rb::status {

namespace {

using api::AttemptResult;
using api::ConditionStatus;
using api::NodeFacts;
using std::chrono::seconds;

/// What is said of each reason; in the order of the enumeration.
struct Row {
  CurrentReason reason;
  std::string_view word;
  ConditionStatus status;
  ExitCode code;
};

constexpr auto k_true = ConditionStatus::true_;
constexpr auto k_false = ConditionStatus::false_;
constexpr auto k_unknown = ConditionStatus::unknown;
constexpr std::array<Row, 12> k_rows{{
    {CurrentReason::current, "Current", k_true, ExitCode::done},
    {CurrentReason::never_ran, "NeverRan", k_false, ExitCode::nothing_to_restore},
    {CurrentReason::stale, "Stale", k_false, ExitCode::deadline_passed},
    {CurrentReason::last_failed, "LastFailed", k_false, ExitCode::failed},
    {CurrentReason::incomplete, "Incomplete", k_false, ExitCode::incomplete},
    {CurrentReason::agent_unavailable, "AgentUnavailable", k_unknown, ExitCode::unreachable},
    {CurrentReason::facts_stale, "FactsStale", k_unknown, ExitCode::unreachable},
    {CurrentReason::clock_anomaly, "ClockAnomaly", k_unknown, ExitCode::unreachable},
    {CurrentReason::no_expected_interval, "NoExpectedInterval", k_unknown, ExitCode::unreachable},
    {CurrentReason::run_stalled, "RunStalled", k_unknown, ExitCode::unreachable},
    {CurrentReason::controller_restarting,
     "ControllerRestarting",
     k_unknown,
     ExitCode::unreachable},
    {CurrentReason::controller_unavailable,
     "ControllerUnavailable",
     k_unknown,
     ExitCode::unreachable},
}};

constexpr const Row& row_of(CurrentReason reason) {
  return k_rows.at(static_cast<std::size_t>(reason));
}

constexpr bool is_in_order() {
  return std::ranges::all_of(k_rows, [](const Row& row) { return &row_of(row.reason) == &row; });
}
static_assert(is_in_order());

struct Attempt {
  SystemTime time{};
  AttemptResult result = AttemptResult::none;
  std::string reason;
};

/// Of several servers one may fail in a run that succeeds, or that still goes on: what came of the
/// run is the run's to say. Clocks of servers differ.
bool is_the_runs_to_say(const CurrentInput& input, const NodeFacts& node) {
  const bool good = node.last_attempt_result == AttemptResult::succeeded;
  const SystemTime time = node.last_attempt_time;
  if (good || copies_of(input).servers < 2) {
    return false;
  }
  const bool in_this_run =
      input.running_since && time + set::k_clock_tolerance >= *input.running_since;
  const bool in_the_last = input.last_run && input.last_run->succeeded &&
                           time <= input.last_run->completion_time + set::k_clock_tolerance;
  return in_this_run || in_the_last;
}

/// The newest of all that the nodes and the controller know.
Attempt newest_attempt(const CurrentInput& input, const std::vector<const NodeFacts*>& nodes) {
  const std::optional<api::LastRun>& run = input.last_run;
  Attempt newest;
  for (const NodeFacts* node : nodes) {
    if (node->last_attempt_result != AttemptResult::none && node->last_attempt_time > newest.time &&
        !is_the_runs_to_say(input, *node)) {
      newest = {node->last_attempt_time, node->last_attempt_result, node->last_attempt_reason};
    }
  }
  if (run && run->completion_time > newest.time) {
    const bool incomplete = run->reason == api::to_string(api::Reason::incomplete);
    newest = {run->completion_time,
              run->succeeded ? AttemptResult::succeeded
              : incomplete   ? AttemptResult::incomplete
                             : AttemptResult::failed,
              run->reason};
  }
  return newest;
}

std::string span_of(seconds span) {
  const auto count = span.count();
  return count < 120      ? std::to_string(count) + " s"
         : count < 7200   ? std::to_string(count / 60) + " min"
         : count < 172800 ? std::to_string(count / 3600) + " h"
                          : std::to_string(count / 86400) + " d";
}

void take_newest(const std::vector<const NodeFacts*>& fresh, Current& current) {
  for (const NodeFacts* node : fresh) {
    if (node->last_success_time > current.last_success_time.value_or(SystemTime{})) {
      current.last_success_time = node->last_success_time;
      current.last_success_run_id = node->last_success_run_id;
      current.last_success_node = node->node_name;
    }
  }
}

Current& say(Current& current, CurrentReason reason, std::string message) {
  current.reason = reason;
  current.message = std::move(message);
  return current;
}

std::string describe(const Attempt& attempt) {
  return "the last attempt ended at " + format_rfc3339(attempt.time) + " with " + attempt.reason;
}

/// No complete backup anywhere.
Current without_backup(const Attempt& attempt) {
  Current current;
  switch (attempt.result) {
  case AttemptResult::none:
  case AttemptResult::succeeded: // of a run that did not ask for the datastore
    return say(current, CurrentReason::never_ran, "there is no complete backup on any node");
  case AttemptResult::incomplete:
    return say(current,
               CurrentReason::incomplete,
               "there is no complete backup on any node; " + describe(attempt));
  case AttemptResult::failed:
    return say(current,
               CurrentReason::last_failed,
               "there is no complete backup on any node; " + describe(attempt));
  }
  return current;
}

/// "; on 2 of 3 servers, not on cp-3". Nothing where each has one, or where there is one server.
std::string describe_copies(const CurrentInput& input) {
  const Copies copies = copies_of(input);
  std::string names;
  for (const std::string& node : copies.without) {
    names += (names.empty() ? "" : ", ") + node;
  }
  return copies.servers < 2 || names.empty()
             ? std::string()
             : "; on " + std::to_string(copies.current) + " of " + std::to_string(copies.servers) +
                   " servers, not on " + names;
}

/// By facts that are all fresh, as if they were all there is.
Current judge_fresh(const CurrentInput& input, const std::vector<const NodeFacts*>& fresh) {
  const Attempt attempt = newest_attempt(input, fresh);
  Current current;
  take_newest(fresh, current);
  const bool node_clock = std::any_of(
      fresh.begin(), fresh.end(), [](const NodeFacts* node) { return node->clock_anomaly; });
  const SystemTime newest =
      std::max(attempt.time, current.last_success_time.value_or(attempt.time));
  if (node_clock || is_to_come(newest, input.now)) {
    return say(current,
               CurrentReason::clock_anomaly,
               "the newest backup is of " + format_rfc3339(newest) +
                   ", which is still to come: a clock is wrong, and ages mean nothing");
  }
  if (!current.last_success_time) {
    return without_backup(attempt);
  }
  const seconds age = std::max(seconds(0), input.now - *current.last_success_time);
  const std::string what = current.last_success_run_id + " on " + current.last_success_node + ", " +
                           span_of(age) + " old";
  if (input.expected_interval.count() <= 0) {
    return say(current,
               CurrentReason::no_expected_interval,
               "the newest complete backup is " + what +
                   "; there is no schedule that says how old it may be");
  }
  if (age > allowed_age(input.expected_interval)) {
    const bool failed =
        attempt.time > *current.last_success_time && attempt.result != AttemptResult::succeeded;
    return say(current,
               CurrentReason::stale,
               "the newest complete backup is " + what + "; one is expected every " +
                   span_of(input.expected_interval) + (failed ? "; " + describe(attempt) : ""));
  }
  const bool newer = attempt.time > *current.last_success_time;
  if (newer &&
      (attempt.result == AttemptResult::failed || attempt.result == AttemptResult::incomplete)) {
    return say(current,
               attempt.result == AttemptResult::failed ? CurrentReason::last_failed
                                                       : CurrentReason::incomplete,
               describe(attempt) + "; the newest complete backup is " + what);
  }
  return say(current,
             CurrentReason::current,
             what + "; one is expected every " + span_of(input.expected_interval) +
                 describe_copies(input));
}

/// What is current now will not stay so: True is not said quietly.
Current& doubt(const CurrentInput& input, Current& current) {
  if (current.reason != CurrentReason::current) {
    return current;
  }
  const std::size_t starts = recent_starts(input.controller_starts, input.now);
  if (starts >= k_many_starts) {
    return say(current,
               CurrentReason::controller_restarting,
               "the controller started " + std::to_string(starts) + " times within " +
                   span_of(k_starts_window) + "; the newest complete backup is " + current.message);
  }
  if (input.active_run && is_stalled(*input.active_run, input.now)) {
    return say(current,
               CurrentReason::run_stalled,
               "the run " + input.active_run->name + " has not got on since " +
                   format_rfc3339(input.active_run->last_progress) +
                   "; the newest complete backup is " + current.message);
  }
  return current;
}

} // namespace

std::optional<api::LastRun> ended_run(const api::ClusterBackup& backup) {
  const api::Condition* result =
      api::find_condition(backup.status.conditions, api::condition_type::k_succeeded);
  if (!backup.finished() || result == nullptr || !backup.status.completion_time ||
      api::is_not_repeated(backup) || api::is_superseded(backup)) {
    return std::nullopt;
  }
  return api::LastRun{backup.meta.name,
                      backup.status.run_id,
                      *backup.status.completion_time,
                      result->status == ConditionStatus::true_,
                      result->reason};
}

bool is_to_come(SystemTime time, SystemTime now) {
  return time > now + set::k_clock_tolerance;
}

bool named_no_server(const api::ClusterBackup& backup,
                     const std::vector<NodeFacts>& nodes,
                     const std::vector<std::string>& agent_nodes) {
  const std::string& named = backup.spec.node_name;
  if (named.empty() || !backup.status.node_name.empty()) {
    return false;
  }
  const auto facts = std::ranges::find(nodes, named, &NodeFacts::node_name);
  if (facts != nodes.end()) {
    return facts->datastore == api::Datastore::none;
  }
  const bool others = !nodes.empty() || !agent_nodes.empty();
  return others && std::ranges::find(agent_nodes, named) == agent_nodes.end();
}

bool is_stalled(const ActiveRun& run, SystemTime now) {
  return now - run.last_progress > k_stalled_after ||
         (run.deadline && now - *run.deadline > k_overdue_after);
}

std::size_t recent_starts(const std::vector<SystemTime>& starts, SystemTime now) {
  return static_cast<std::size_t>(
      std::count_if(starts.begin(), starts.end(), [&](SystemTime start) {
        return start <= now && now - start <= k_starts_window;
      }));
}

std::string_view to_string(CurrentReason reason) {
  return row_of(reason).word;
}

ConditionStatus status_of(CurrentReason reason) {
  return row_of(reason).status;
}

ExitCode exit_code_for(CurrentReason reason) {
  return row_of(reason).code;
}

std::optional<CurrentReason> parse_current_reason(std::string_view word) {
  const auto* const row = std::ranges::find(k_rows, word, &Row::word);
  return row == k_rows.end() ? std::nullopt : std::optional(row->reason);
}

seconds allowed_age(seconds expected_interval) {
  return expected_interval + expected_interval / 2;
}

Copies copies_of(const CurrentInput& input) {
  Copies copies;
  const bool known = input.expected_interval.count() > 0;
  for (const NodeSeen& node : input.nodes) {
    if (node.facts.datastore != api::Datastore::embedded_etcd || !node.has_agent) {
      continue;
    }
    ++copies.servers;
    const SystemTime last = node.facts.last_success_time;
    const bool young = !known || input.now - last <= allowed_age(input.expected_interval);
    if (last != SystemTime{} && young) {
      ++copies.current;
    } else {
      copies.without.push_back(node.facts.node_name);
    }
  }
  return copies;
}

Current judge(const CurrentInput& input) {
  std::vector<const NodeFacts*> fresh;
  const NodeSeen* silent = nullptr;
  for (const NodeSeen& node : input.nodes) {
    if (node.silence <= input.facts_limit) {
      fresh.push_back(&node.facts);
    } else if (silent == nullptr || node.silence < silent->silence) {
      silent = &node;
    }
  }
  Current current;
  if (input.nodes.empty()) {
    return say(current, CurrentReason::agent_unavailable, "no agent has reported yet");
  }
  if (!fresh.empty()) {
    current = judge_fresh(input, fresh);
  }
  // A silent node may hold a newer backup: then nothing is proven but a backup that is current.
  const bool proven = !fresh.empty() && status_of(current.reason) != ConditionStatus::false_;
  if (silent == nullptr || proven) {
    return doubt(input, current);
  }
  return say(current,
             CurrentReason::facts_stale,
             "the agent of node " + silent->facts.node_name + " has said nothing for " +
                 span_of(silent->silence) + ": nobody knows what its disk holds");
}

std::vector<NodeSeen> nodes_as_read(const api::BackupStatusStatus& status) {
  std::vector<NodeSeen> nodes;
  const SystemTime looked = status.observed_time.value_or(SystemTime{});
  for (const NodeFacts& node : status.nodes) {
    nodes.push_back({node, std::max(seconds(0), looked - node.report_time)});
  }
  return nodes;
}

Current as_read(const api::BackupStatusStatus& status, SystemTime now, seconds limit) {
  Current current;
  const api::Condition* condition =
      api::find_condition(status.conditions, api::condition_type::k_backup_current);
  if (condition == nullptr || !status.observed_time) {
    return say(current, CurrentReason::controller_unavailable, "no controller has judged yet");
  }
  current.last_success_time = status.last_success_time;
  current.last_success_run_id = status.last_success_run_id;
  current.last_success_node = status.last_success_node;
  if (now - *status.observed_time > limit) {
    return say(current,
               CurrentReason::controller_unavailable,
               "no controller has looked since " + format_rfc3339(*status.observed_time) +
                   "; then it was " + condition->reason);
  }
  const auto reason = parse_current_reason(condition->reason);
  return say(current, reason.value_or(CurrentReason::controller_unavailable), condition->message);
}

} // namespace rb::status

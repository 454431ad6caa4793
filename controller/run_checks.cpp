#include "controller/run_checks.hpp"

#include "controller/agents.hpp"

#include <algorithm>
#include <array>

namespace rb::controller {

namespace {

using api::Reason;
using std::chrono::seconds;
using Check = std::optional<Verdict> (*)(const RunView&);

std::string in_seconds(seconds duration) {
  return std::to_string(duration.count()) + " s";
}

seconds silence(const RunView& view) {
  const auto found = view.observed.order_silence.find(view.order->meta.name);
  return found == view.observed.order_silence.end() ? seconds{0} : found->second;
}

bool accepted(const RunView& view) {
  return view.order != nullptr && view.order->accepted();
}

/// The clocks of two watchers and of the status are this much apart at most.
constexpr seconds k_slack{5};

/// How long this process has known of the unfinished run; 0 where that is not known.
seconds known_for(const RunView& view) {
  const auto found = view.observed.unfinished_for.find(view.backup.meta.uid);
  return found == view.observed.unfinished_for.end() ? seconds{0} : found->second;
}

SystemTime deadline_of(const RunView& view) {
  return *view.backup.status.start_time + seconds{view.backup.spec.deadline_seconds};
}

/// The moment until which the agent may be silent about a run that it may have ended long ago.
SystemTime resume_end(const RunView& view) {
  return view.observed.now - known_for(view) + view.observed.settings.resume_wait;
}

SystemTime last_moment(const RunView& view) {
  const seconds grace = accepted(view) ? view.observed.settings.deadline_grace : seconds{0};
  const SystemTime usual = deadline_of(view) + grace;
  return resumed(view) ? std::max(usual, resume_end(view)) : usual;
}

SystemTime agent_awaited_until(const RunView& view) {
  const SystemTime usual = *view.backup.status.start_time + view.observed.settings.agent_wait;
  return resumed(view) ? std::max(usual, resume_end(view)) : usual;
}

/// How long the order may go without a word of the agent.
seconds patience(const RunView& view) {
  const Settings& settings = view.observed.settings;
  const seconds usual = accepted(view) ? settings.heartbeat_limit : settings.agent_wait;
  const bool never_heard = silence(view) + k_slack >= known_for(view);
  return resumed(view) && never_heard ? std::max(usual, settings.resume_wait) : usual;
}

std::optional<Verdict> order_finished(const RunView& view) {
  if (view.order == nullptr || !view.order->finished()) {
    return std::nullopt;
  }
  return verdict_of(view.backup, *view.order);
}

/// What the status says of a server whose order is gone. It was ordered once, or could not be.
std::optional<Verdict> told_before(const RunView& view) {
  if (view.order != nullptr || view.server == nullptr || !view.server->ended()) {
    return std::nullopt;
  }
  return verdict_of(*view.server);
}

std::optional<Verdict> being_deleted(const RunView& view) {
  if (!view.backup.meta.deletion_timestamp) {
    return std::nullopt;
  }
  return Verdict{false, Reason::interrupted, "the ClusterBackup was deleted in mid-run"};
}

bool is_past_deadline(const RunView& view) {
  return view.observed.now >= last_moment(view);
}

std::optional<Verdict> deadline_passed(const RunView& view) {
  if (!is_past_deadline(view) || wants_order_read(view)) {
    return std::nullopt;
  }
  std::string message =
      "the run did not end within " + in_seconds(seconds{view.backup.spec.deadline_seconds});
  if (view.order == nullptr && view.memory != nullptr && !view.memory->order_trouble.empty()) {
    message += "; its order could not be made: " + view.memory->order_trouble;
  }
  return Verdict{false, Reason::deadline_exceeded, std::move(message)};
}

std::optional<Verdict> recipients_unusable(const RunView& view) {
  if (was_ordered(view) || overdue(view) || !view.observed.recipients_problem) {
    return std::nullopt;
  }
  const RecipientsProblem& problem = *view.observed.recipients_problem;
  return Verdict{false, problem.reason, problem.message};
}

/// "; without a datastore: cp-1", or nothing.
std::string and_those_without(const Observed& observed) {
  const std::vector<std::string> without = nodes_with(observed, api::Datastore::none);
  return without.empty() ? std::string() : "; without a datastore: " + list_of(without);
}

std::optional<Verdict> unknown_node(const RunView& view) {
  if (was_ordered(view) || resumed(view) || !names_unknown_node(view.observed, view.backup)) {
    return std::nullopt;
  }
  return Verdict{false,
                 Reason::agent_unavailable,
                 "there is no node " + view.backup.spec.node_name +
                     " with an agent; nodes with an agent: " +
                     list_of(nodes_with_agent(view.observed)) + and_those_without(view.observed) +
                     "; name one of them with --node (spec.nodeName), or none"};
}

std::optional<Verdict> wrong_node(const RunView& view) {
  if (was_ordered(view) || overdue(view) || !names_wrong_node(view.observed, view.backup)) {
    return std::nullopt;
  }
  const std::vector<std::string> with = nodes_with_database(view.observed);
  return Verdict{false,
                 Reason::datastore_not_etcd,
                 "node " + view.backup.spec.node_name +
                     " has no datastore, so there is nothing to take a snapshot of; " +
                     (with.empty() ? "no agent knows of a datastore on another node"
                                   : "nodes with a datastore: " + list_of(with)) +
                     "; name another node with --node (spec.nodeName), or none"};
}

std::string where_awaited(const RunView& view) {
  if (!view.backup.spec.node_name.empty()) {
    return "node " + view.backup.spec.node_name;
  }
  const std::vector<std::string> with = nodes_with_database(view.observed);
  return with.empty() ? "any server node"
                      : "any node with a datastore (" + list_of(with) +
                            and_those_without(view.observed) + ")";
}

std::optional<Verdict> no_agent(const RunView& view) {
  if (was_ordered(view) || view.server != nullptr || choose_node(view.observed, view.backup) ||
      view.observed.now < agent_awaited_until(view)) {
    return std::nullopt;
  }
  return Verdict{false,
                 Reason::agent_unavailable,
                 "no ready agent on " + where_awaited(view) + " within " +
                     in_seconds(resumed(view) ? view.observed.settings.resume_wait
                                              : view.observed.settings.agent_wait) +
                     "; see the pods of the DaemonSet railiance-backup-agent"};
}

std::optional<Verdict> order_removed(const RunView& view) {
  if (view.order != nullptr || view.memory == nullptr || !view.memory->order_gone) {
    return std::nullopt;
  }
  const std::string& node =
      view.server == nullptr ? view.backup.status.node_name : view.server->node_name;
  return Verdict{false,
                 Reason::interrupted,
                 node.empty() ? "the order was removed in mid-run"
                              : "the order to node " + node + " was removed in mid-run"};
}

std::optional<Verdict> order_refused(const RunView& view) {
  if (view.order != nullptr || view.memory == nullptr || !view.memory->order_refused) {
    return std::nullopt;
  }
  return Verdict{false, Reason::internal_error, *view.memory->order_refused};
}

bool is_not_taken(const RunView& view) {
  return view.order != nullptr && !view.order->accepted() && silence(view) >= patience(view);
}

std::optional<Verdict> order_not_taken(const RunView& view) {
  if (!is_not_taken(view) || wants_order_read(view)) {
    return std::nullopt;
  }
  return Verdict{false,
                 Reason::agent_unavailable,
                 "the agent on node " + view.order->spec.node_name +
                     " did not take the order within " + in_seconds(patience(view))};
}

bool is_silent(const RunView& view) {
  return accepted(view) && silence(view) > patience(view);
}

std::optional<Verdict> agent_silent(const RunView& view) {
  if (!is_silent(view) || wants_order_read(view)) {
    return std::nullopt;
  }
  return Verdict{false,
                 Reason::interrupted,
                 "the agent on node " + view.order->spec.node_name + " has not been heard of for " +
                     in_seconds(patience(view))};
}

constexpr std::array<Check, 12> k_checks{
    order_finished,      // the agent's report counts, however late
    told_before,         // one of several servers, judged already
    being_deleted,       // nobody waits for the result
    deadline_passed,     // spec.deadlineSeconds, and a grace for the agent's own report
    order_removed,       // the NodeBackup was deleted; a run is never ordered twice
    recipients_unusable, // nothing is ordered that could not be encrypted
    unknown_node,        // spec.nodeName is no server of this cluster
    wrong_node,          // spec.nodeName has no etcd, and others have
    no_agent,            // nobody to order from
    order_refused,       // the API server takes no such order
    order_not_taken,     // an agent that is there but does nothing
    agent_silent,        // an agent that died in mid-run
};

} // namespace

bool wants_order_read(const RunView& view) {
  const bool asked = view.memory != nullptr && view.order != nullptr &&
                     view.memory->asked_version == view.order->meta.resource_version;
  return view.order != nullptr && !view.order->finished() && !asked &&
         (is_past_deadline(view) || is_not_taken(view) || is_silent(view));
}

bool resumed(const RunView& view) {
  return view.observed.unfinished_for.contains(view.backup.meta.uid) &&
         view.observed.now - known_for(view) > *view.backup.status.start_time + k_slack;
}

bool waits_for_better_agent(const RunView& view) {
  return view.observed.now < agent_awaited_until(view) &&
         is_better_to_wait(view.observed, view.backup);
}

bool overdue(const RunView& view) {
  return view.observed.now >= deadline_of(view);
}

bool was_ordered(const RunView& view) {
  if (view.order != nullptr || (view.memory != nullptr && view.memory->ordered)) {
    return true;
  }
  return view.server == nullptr ? !view.backup.status.node_name.empty()
                                : view.server->result != api::CopyState::pending;
}

std::optional<Verdict> check_run(const RunView& view) {
  for (const Check check : k_checks) {
    if (auto verdict = check(view)) {
      return verdict;
    }
  }
  return std::nullopt;
}

seconds next_check(const RunView& view) {
  seconds next = last_moment(view) - view.observed.now;
  if (view.order == nullptr) {
    next = std::min(next, agent_awaited_until(view) - view.observed.now);
  } else {
    const seconds limit = accepted(view) ? seconds{1} : seconds{0}; // "more than", "not within"
    next = std::min(next, patience(view) - silence(view) + limit);
  }
  return std::max(next, seconds{1});
}

} // namespace rb::controller

// What of the objects the notices see (notices.hpp).
#include "controller/notices.hpp"

#include <algorithm>

namespace rb::controller {

namespace {

using api::ConditionStatus;

bool counts(const api::ClusterBackup& backup) {
  return backup.spec.scheduled ||
         std::ranges::find(backup.spec.artifacts, api::ArtifactType::datastore) !=
             backup.spec.artifacts.end();
}

RunSeen seen(const api::ClusterBackup& backup) {
  RunSeen run;
  run.name = backup.meta.name;
  run.run_id = backup.status.run_id;
  run.node = backup.status.node_name;
  run.start_time = backup.status.start_time.value_or(SystemTime{});
  run.completion_time = backup.status.completion_time.value_or(SystemTime{});
  const auto& conditions = backup.status.conditions;
  if (const auto* result = api::find_condition(conditions, api::condition_type::k_succeeded)) {
    run.succeeded = result->status == ConditionStatus::true_;
    run.reason = result->reason;
    run.message = result->message;
  }
  if (const auto* copies = api::find_condition(conditions, api::condition_type::k_copies)) {
    run.copies = *copies;
  }
  if (const auto* copy = api::find_condition(conditions, api::condition_type::k_replicated)) {
    run.replicated = *copy;
  }
  return run;
}

void take_newer(std::optional<RunSeen>& newest, const RunSeen& run) {
  if (!newest || run.completion_time > newest->completion_time) {
    newest = run;
  }
}

bool waits(const RunSeen& run) {
  return run.replicated->status == ConditionStatus::unknown &&
         run.replicated->reason == api::to_string(api::Reason::pending);
}

/// Nobody has said a word of its copy: no pod that would do it has ever looked.
RunSeen nowhere(RunSeen run, SystemTime offsite_since) {
  run.replicated = api::Condition{std::string(api::condition_type::k_replicated),
                                  ConditionStatus::unknown,
                                  std::string(api::to_string(api::Reason::pending)),
                                  "nothing is said of it",
                                  std::max(run.completion_time, offsite_since),
                                  1};
  return run;
}

/// `copies` have a word of their copy off-site.
std::optional<RunSeen> oldest_waiting(const std::vector<RunSeen>& copies) {
  SystemTime copied{};
  for (const RunSeen& run : copies) {
    if (run.replicated->status == ConditionStatus::true_) {
      copied = std::max(copied, run.completion_time);
    }
  }
  std::optional<RunSeen> oldest;
  for (const RunSeen& run : copies) {
    if (waits(run) && run.completion_time > copied &&
        (!oldest || run.completion_time < oldest->completion_time)) {
      oldest = run;
    }
  }
  return oldest;
}

} // namespace

NoticeView
notice_view_of(const Observed& world, const std::vector<api::NodeFacts>& nodes, SystemTime now) {
  NoticeView view;
  view.nodes = nodes;
  std::vector<std::string> agent_nodes;
  for (const auto& [pod, agent] : world.agents) {
    agent_nodes.push_back(agent.node);
  }
  std::vector<RunSeen> copies;
  for (const auto& [uid, backup] : world.backups) {
    if (!counts(backup)) {
      continue;
    }
    if (!backup.finished()) {
      if (backup.status.start_time) {
        view.active = seen(backup);
      }
      continue;
    }
    const auto end = status::ended_run(backup);
    if (!end || status::is_to_come(end->completion_time, now) ||
        status::named_no_server(backup, nodes, agent_nodes)) {
      continue;
    }
    const RunSeen run = seen(backup);
    take_newer(view.last, run);
    // What failed everywhere is told as a run that failed.
    if (run.succeeded && run.copies && run.copies->status != ConditionStatus::unknown) {
      take_newer(view.copies, run);
    }
    if (run.replicated) {
      take_newer(view.offsite, run);
      copies.push_back(run);
    } else if (run.succeeded && world.settings.offsite_since) {
      copies.push_back(nowhere(run, *world.settings.offsite_since));
    }
  }
  view.waiting = oldest_waiting(copies);
  return view;
}

} // namespace rb::controller

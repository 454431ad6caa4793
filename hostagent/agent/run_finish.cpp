// The last steps of a run: manifest, retention, stamp, log, and taking back after a failure.
#include "agent/kit.hpp"
#include "agent/run_state.hpp"
#include "set/backup_log.hpp"
#include "set/catalogue.hpp"
#include "set/marks.hpp"
#include "set/names.hpp"
#include "set/retention.hpp"
#include "set/sets.hpp"
#include "set/signed_files.hpp"
#include "set/signed_write.hpp"
#include "terminal/log.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

constexpr std::size_t k_pruned_limit = 100;

/// The set of this run, as it will be listed once its manifest is there.
set::BackupSet set_of(const RunState& run) {
  set::BackupSet set;
  set.run_id = run.order.run_id;
  set.time = parse_run_id(set.run_id).value_or(SystemTime());
  set.state = run.manifest.complete ? set::SetState::complete : set::SetState::incomplete;
  set.manifest = run.manifest;
  return set;
}

/// Only a complete run removes complete sets.
RemovalChoice choose_removals(RunState& run) {
  const auto restored = set::read_last_restore(*run.directory);
  if (!restored) {
    return {{}, restored.error()};
  }
  std::vector<set::BackupSet> sets = run.earlier_sets;
  sets.push_back(set_of(run));
  // One that is not proven protects only itself: the newest good set stays for sure.
  const bool good = run.manifest.is_good();
  return {set::select_for_removal(set::sets_like(set::kind_of(run.manifest), std::move(sets)),
                                  {run.order.keep_last,
                                   run.order.run_id,
                                   good ? std::optional(run.order.run_id) : std::nullopt,
                                   *restored ? (*restored)->run_id : std::string(),
                                   !run.manifest.complete},
                                  run.ports.clock.now()),
          std::nullopt};
}

/// The link to the manifest before, and the sets that stay beside this one.
void join_chain(RunState& run) {
  set::ChainEnd end =
      set::chain_end(run.earlier_sets, run.removal.plan.run_ids, run.key->public_key());
  run.manifest.previous = std::move(end.previous);
  run.manifest.catalogue = std::move(end.catalogue);
}

/// The first that is left, by name, and how many more there are.
std::string describe_left(const std::vector<set::Pruned::Left>& left) {
  const set::Pruned::Left& first = left.front();
  std::string text = "set " + first.run_id + " stays: " + first.why.message;
  if (!first.why.hint.empty()) {
    text += "; " + first.why.hint;
  }
  if (left.size() > 1) {
    text += "; so do " + std::to_string(left.size() - 1) + " more";
  }
  return text;
}

void note_pruned(RunState& run, const set::RemovalPlan& plan, const set::Pruned& pruned) {
  if (plan.clock_anomaly) {
    run.note(api::condition_type::k_pruned,
             api::ConditionStatus::false_,
             api::Reason::clock_anomaly,
             "the clock is behind the newest set: nothing was removed; set the clock right");
  } else if (!pruned.left.empty()) {
    run.note(api::condition_type::k_pruned,
             api::ConditionStatus::false_,
             api::Reason::prune_failed,
             std::to_string(pruned.removed.size()) + " sets removed; " +
                 describe_left(pruned.left));
  } else if (!run.manifest.complete) {
    const std::size_t count = run.status.pruned.size();
    run.note(api::condition_type::k_pruned,
             api::ConditionStatus::false_,
             api::Reason::incomplete,
             count == 0 ? "the set is incomplete: no earlier set was removed"
                        : "the set is incomplete: " + std::to_string(count) +
                              " incomplete sets were removed, and no complete one");
  } else {
    run.note(api::condition_type::k_pruned,
             api::ConditionStatus::true_,
             api::Reason::completed,
             std::to_string(run.status.pruned.size()) + " sets removed, " +
                 std::to_string(run.order.keep_last) +
                 (run.order.manual ? " asked for by hand are kept" : " are kept"));
  }
}

std::uint64_t stored_bytes(const RunState& run) {
  std::uint64_t total = 0;
  for (const api::ArtifactStatus& artifact : run.manifest.artifacts) {
    total += artifact.size_bytes;
  }
  return total;
}

/// The next set must still find room beside it.
Status keep_own_image(RunState& run) {
  if (run.ports.image == nullptr) {
    return {};
  }
  RB_TRY_ASSIGN(const ImageName image, run.ports.image->ask(run.control.token()));
  return keep_image(*run.directory,
                    run.settings.data_dir,
                    image,
                    stored_bytes(run),
                    *run.key,
                    run.control.token());
}

} // namespace

StepFailure write_manifest_of(RunState& run) {
  run.manifest.completion_time = run.ports.clock.now();
  run.manifest.complete = run.manifest.missing.empty();
  run.removal = choose_removals(run);
  join_chain(run);
  run.manifest.signed_files = set::files_vouched_for(*run.directory, run.key->public_key());
  const auto written = set::write_signed_manifest(*run.directory, run.manifest, *run.key);
  if (!written) {
    return storage_failure(written.error());
  }
  run.status.artifacts = run.manifest.artifacts;
  run.status.missing = run.manifest.missing;
  const std::size_t count = run.manifest.artifacts.size();
  run.note(api::condition_type::k_artifacts_stored,
           run.manifest.complete ? api::ConditionStatus::true_ : api::ConditionStatus::false_,
           run.manifest.complete ? api::Reason::completed : api::Reason::incomplete,
           run.manifest.complete
               ? std::to_string(count) + " artifacts in " + run.settings.backup_dir
               : describe_missing(run.manifest.missing));
  run.note(api::condition_type::k_verified,
           api::ConditionStatus::true_,
           api::Reason::completed,
           "each file was read back from the disk and has the digest that was written");
  return std::nullopt;
}

void prune_old_sets(RunState& run) {
  run.enter(step::k_pruning);
  if (run.removal.problem) {
    run.note(api::condition_type::k_pruned,
             api::ConditionStatus::false_,
             api::Reason::prune_failed,
             run.removal.problem->message);
    return;
  }
  const set::RemovalPlan& plan = run.removal.plan;
  const set::Pruned pruned = set::prune(*run.directory, plan);
  run.status.pruned = pruned.removed;
  run.status.pruned.resize(std::min(pruned.removed.size(), k_pruned_limit));
  note_pruned(run, plan, pruned);
}

StepFailure write_stamp_of(RunState& run) {
  // The stamp speaks of backups from which a cluster can be restored.
  if (!run.manifest.is_good() || !set::can_restore_cluster(run.manifest)) {
    return std::nullopt;
  }
  const Status stamped = set::write_stamp(*run.directory, run.manifest, *run.key);
  return stamped ? StepFailure() : storage_failure(stamped.error());
}

void write_kit_of(RunState& run) {
  // A guide to a set that was not proven must not replace the one to a good set.
  const bool only_one = std::ranges::none_of(run.earlier_sets, [](const set::BackupSet& earlier) {
    return set::is_good(earlier) && earlier.manifest && earlier.manifest->snapshot;
  });
  if (!run.manifest.complete || !run.manifest.snapshot || !(run.manifest.is_good() || only_one)) {
    return;
  }
  const set::GuideFacts facts{run.settings.backup_dir,
                              run.settings.data_dir,
                              run.settings.config_dir,
                              run.key->public_key().line()};
  std::vector<Error> problems =
      write_kit(*run.directory, run.settings.kit_program, run.manifest, facts, *run.key);
  if (Status kept = keep_own_image(run); !kept) {
    problems.push_back(std::move(kept).error());
  }
  for (const Error& error : problems) {
    log::warn("kit for a restore", error);
    run.kit_problem += (run.kit_problem.empty() ? "" : "; ") + error.message;
  }
  if (!run.kit_problem.empty()) {
    run.note(api::condition_type::k_artifacts_stored,
             api::ConditionStatus::true_,
             api::Reason::completed,
             std::to_string(run.manifest.artifacts.size()) + " artifacts in " +
                 run.settings.backup_dir +
                 "; the kit beside them is not up to date: " + run.kit_problem);
  }
}

void log_run(RunState& run, api::Reason reason, const std::string& message) {
  if (!run.directory || !run.lock) {
    return;
  }
  set::LogLine line;
  line.time = run.ports.clock.now();
  line.action = "backup";
  line.result = std::string(api::to_string(reason));
  line.run_id = run.order.run_id;
  line.fields = {{"artifacts", std::to_string(run.manifest.artifacts.size())},
                 {"bytes", std::to_string(stored_bytes(run))}};
  if (run.manifest.snapshot) {
    line.fields.emplace_back("revision", std::to_string(run.manifest.snapshot->revision));
    line.fields.emplace_back("keys", std::to_string(run.manifest.snapshot->total_keys));
  }
  if (run.manifest.proof) {
    line.fields.emplace_back("proof", std::string(api::to_string(run.manifest.proof->reason)));
    line.fields.emplace_back("proof_milliseconds",
                             std::to_string(run.manifest.proof->milliseconds));
  }
  if (!run.kit_problem.empty()) {
    line.fields.emplace_back("kit", run.kit_problem);
  }
  line.fields.emplace_back("pruned", std::to_string(run.status.pruned.size()));
  line.message = message;
  const Status written = set::append_log(*run.directory, line);
  if (!written) {
    log::warn("backup.log", written.error());
  }
}

void take_back(RunState& run) {
  std::vector<std::string> names;
  for (const api::ArtifactStatus& artifact : run.manifest.artifacts) {
    names.push_back(artifact.file_name);
  }
  // Only then is the run id ours: the set of another run under it keeps its signature.
  if (!names.empty()) {
    names.push_back(set::signature_name(run.order.run_id));
  }
  for (const std::string& name : names) {
    const Status removed = run.directory->fs().remove(name);
    if (!removed && removed.error().code != ErrorCode::not_found) {
      log::warn("file of the failed run", removed.error());
    }
  }
  if (!names.empty()) {
    const Status synced = run.directory->fs().sync_directory();
    if (!synced) {
      log::warn("backup directory", synced.error());
    }
  }
  run.manifest.artifacts.clear();
  run.manifest.snapshot.reset();
  run.manifest.proof.reset();
  run.status.artifacts.clear();
}

} // namespace rb::agent

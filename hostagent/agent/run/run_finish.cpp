// The last steps of a run: manifest, retention, stamp, kit, log, and taking back after a failure.
#include "agent/run/run_state.hpp"
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
#include <numeric>

namespace rb::agent {

namespace {

constexpr std::size_t k_pruned_limit = 100;

/// The set of this run, as it will be listed once its manifest is there.
set::BackupSet set_of(const BackupRun& run) {
  set::BackupSet set;
  set.run_id = run.order.run_id;
  set.time = parse_run_id(set.run_id).value_or(SystemTime());
  set.state = run.manifest.complete ? set::SetState::complete : set::SetState::incomplete;
  set.manifest = run.manifest;
  return set;
}

/// Only a complete run removes complete sets.
Result<set::RemovalPlan> choose_removals(BackupRun& run) {
  RB_TRY_ASSIGN(const auto restored, set::read_last_restore(*run.directory));
  std::vector<set::BackupSet> sets = run.earlier_sets;
  sets.push_back(set_of(run));
  // One that is not proven protects only itself: the newest good set stays for sure.
  const bool good = run.manifest.is_good();
  return set::select_for_removal(set::sets_like(set::kind_of(run.manifest), std::move(sets)),
                                 {run.order.keep_last,
                                  run.order.run_id,
                                  good ? std::optional(run.order.run_id) : std::nullopt,
                                  restored ? restored->run_id : std::string(),
                                  !run.manifest.complete},
                                 run.ports.clock.now());
}

/// The link to the manifest before, and the sets that stay beside this one.
void join_chain(BackupRun& run) {
  const std::vector<std::string> going =
      run.removal ? run.removal->run_ids : std::vector<std::string>();
  set::ChainEnd end = set::chain_end(run.earlier_sets, going, run.key->public_key());
  run.manifest.previous = std::move(end.previous);
  run.manifest.catalogue = std::move(end.catalogue);
}

std::string describe_stored(const BackupRun& run) {
  return std::to_string(run.manifest.artifacts.size()) + " artifacts in " + run.settings.backup_dir;
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

/// Reason and message of the condition Pruned, which is True when the reason is Completed.
Outcome outcome_of(const BackupRun& run, const set::Pruned& pruned) {
  const std::string count = std::to_string(run.status.pruned.size());
  if (run.removal->clock_anomaly) {
    return {api::Reason::clock_anomaly,
            "the clock is behind set " + run.removal->ahead_run_id +
                ": nothing was removed; set the clock right (timedatectl), or, where it is right "
                "and was ahead when that set was made, move the set away, or the disk fills: " +
                run.directory->path() + "/*-" + run.removal->ahead_run_id + ".*"};
  }
  if (!pruned.left.empty()) {
    return {api::Reason::prune_failed,
            std::to_string(pruned.removed.size()) + " sets removed; " + describe_left(pruned.left)};
  }
  if (!run.manifest.complete) {
    return {api::Reason::incomplete,
            run.status.pruned.empty() ? "the set is incomplete: no earlier set was removed"
                                      : "the set is incomplete: " + count +
                                            " incomplete sets were removed, and no complete one"};
  }
  return {api::Reason::completed,
          count + " sets removed, " + std::to_string(run.order.keep_last) +
              (run.order.manual ? " asked for by hand are kept" : " are kept")};
}

std::uint64_t stored_bytes(const BackupRun& run) {
  const auto& artifacts = run.manifest.artifacts;
  return std::accumulate(
      artifacts.begin(),
      artifacts.end(),
      std::uint64_t{0},
      [](std::uint64_t sum, const api::ArtifactStatus& each) { return sum + each.size_bytes; });
}

/// The next set must still find room beside it.
Status keep_own_image(BackupRun& run) {
  if (!run.ports.ask_image) {
    return {};
  }
  RB_TRY_ASSIGN(const ImageName image, run.ports.ask_image(run.control.token()));
  return keep_image(*run.directory,
                    run.settings.data_dir,
                    image,
                    stored_bytes(run),
                    *run.key,
                    run.control.token());
}

} // namespace

Status BackupRun::write_manifest() {
  manifest.completion_time = ports.clock.now();
  manifest.complete = manifest.missing.empty();
  removal = choose_removals(*this);
  join_chain(*this);
  manifest.signed_files = set::files_vouched_for(*directory, key->public_key());
  RB_TRY(set::write_signed_manifest(*directory, manifest, *key));
  note(api::condition_type::k_artifacts_stored,
       manifest.complete ? api::ConditionStatus::true_ : api::ConditionStatus::false_,
       manifest.complete ? api::Reason::completed : api::Reason::incomplete,
       manifest.complete ? describe_stored(*this) : describe_missing(manifest.missing));
  note(api::condition_type::k_verified,
       api::ConditionStatus::true_,
       api::Reason::completed,
       "each file was read back from the disk and has the digest that was written");
  return {};
}

void BackupRun::prune_old_sets() {
  enter(step::k_pruning);
  Outcome outcome{api::Reason::prune_failed, removal ? "" : removal.error().message};
  if (removal) {
    const set::Pruned pruned = set::prune(*directory, *removal);
    status.pruned = pruned.removed;
    status.pruned.resize(std::min(pruned.removed.size(), k_pruned_limit));
    outcome = outcome_of(*this, pruned);
  }
  note(api::condition_type::k_pruned,
       outcome.succeeded() ? api::ConditionStatus::true_ : api::ConditionStatus::false_,
       outcome.reason,
       outcome.message);
}

Status BackupRun::write_stamp() {
  // The stamp speaks of backups from which a cluster can be restored.
  if (!manifest.is_good() || !set::can_restore_cluster(manifest)) {
    return {};
  }
  return set::write_stamp(*directory, manifest, *key);
}

void BackupRun::put_kit() {
  // A guide to a set that was not proven must not replace the one to a good set.
  const bool only_one = std::ranges::none_of(earlier_sets, [](const set::BackupSet& earlier) {
    return set::is_good(earlier) && earlier.manifest && earlier.manifest->snapshot;
  });
  if (!manifest.complete || !manifest.snapshot || !(manifest.is_good() || only_one)) {
    return;
  }
  const set::GuideFacts facts{settings.backup_dir,
                              settings.data_dir,
                              settings.config_dir,
                              key->public_key().line(),
                              k3s.service};
  std::vector<Error> problems = write_kit(*directory, settings.kit_program, manifest, facts, *key);
  if (Status kept = keep_own_image(*this); !kept) {
    problems.push_back(std::move(kept).error());
  }
  for (const Error& error : problems) {
    log::warn("kit for a restore", error);
    kit_problem += (kit_problem.empty() ? "" : "; ") + error.message;
  }
  if (!kit_problem.empty()) {
    note(api::condition_type::k_artifacts_stored,
         api::ConditionStatus::true_,
         api::Reason::completed,
         describe_stored(*this) + "; the kit beside them is not up to date: " + kit_problem);
  }
}

void BackupRun::log_outcome(const Outcome& outcome) {
  if (!directory) {
    return;
  }
  set::LogLine line;
  line.time = ports.clock.now();
  line.action = "backup";
  line.result = std::string(api::to_string(outcome.reason));
  line.run_id = order.run_id;
  line.fields = {{"artifacts", std::to_string(manifest.artifacts.size())},
                 {"bytes", std::to_string(stored_bytes(*this))}};
  const bool stored = !manifest.artifacts.empty(); // not taken back
  if (stored && manifest.snapshot) {
    line.fields.emplace_back("revision", std::to_string(manifest.snapshot->revision));
    line.fields.emplace_back("keys", std::to_string(manifest.snapshot->total_keys));
  }
  if (stored && manifest.proof) {
    line.fields.emplace_back("proof", std::string(api::to_string(manifest.proof->reason)));
    line.fields.emplace_back("proof_milliseconds", std::to_string(manifest.proof->milliseconds));
  }
  if (!kit_problem.empty()) {
    line.fields.emplace_back("kit", kit_problem);
  }
  line.fields.emplace_back("pruned", std::to_string(status.pruned.size()));
  line.message = outcome.message;
  if (const Status written = set::append_log(*directory, line); !written) {
    log::warn("backup.log", written.error());
  }
}

void BackupRun::take_back() {
  if (!directory || manifest.artifacts.empty()) {
    return;
  }
  // Once an artifact is stored, the run id is ours: the set of another run under it keeps its
  // signature.
  std::vector<std::string> names{set::signature_name(order.run_id)};
  for (const api::ArtifactStatus& artifact : manifest.artifacts) {
    names.insert(names.end() - 1, artifact.file_name);
  }
  for (const std::string& name : names) {
    const Status removed = directory->fs().remove(name);
    if (!removed && removed.error().code != ErrorCode::not_found) {
      log::warn("file of the failed run", removed.error());
    }
  }
  if (const Status synced = directory->fs().sync_directory(); !synced) {
    log::warn("backup directory", synced.error());
  }
  manifest.artifacts.clear();
}

} // namespace rb::agent

// The first steps of a run: what must hold before anything is asked of k3s.
#include "agent/backup_disk.hpp"
#include "agent/cut_off.hpp"
#include "agent/plaintext.hpp"
#include "agent/run_state.hpp"
#include "agent/signing.hpp"
#include "agent/space.hpp"
#include "terminal/log.hpp"

#include "age/sops_yaml.hpp"
#include "base/fd.hpp"

namespace rb::agent {

namespace {

StepFailure open_and_lock(RunState& run) {
  auto directory = open_backup_directory(run.settings, run.ports.open_directory);
  if (!directory) {
    return storage_failure(directory.error());
  }
  auto lock = set::DirectoryLock::acquire(directory->path());
  if (!lock) {
    return storage_failure(lock.error());
  }
  run.directory = std::move(*directory);
  run.lock = std::move(*lock);
  return std::nullopt;
}

StepFailure sweep(RunState& run) {
  const auto leftovers = set::sweep_leftovers(*run.directory);
  if (!leftovers) {
    return storage_failure(leftovers.error());
  }
  log_cut_off(*run.directory, run.ports.clock.now());
  const auto swept = sweep_unfinished(*run.directory,
                                      run.ports.processes,
                                      run.k3s.command,
                                      run.k3s.plaintext_dirs,
                                      run.ports.clock.now());
  if (run.ports.prover != nullptr) {
    run.ports.prover->sweep();
  }
  if (!swept) {
    // A plaintext that cannot be removed is no reason to make no backup; it is tried again.
    log::warn("sweep of unfinished runs", swept.error());
  }
  return std::nullopt;
}

Failure recipient_failure(const Error& error) {
  const bool none = error.code == ErrorCode::not_found;
  return failure_as(none ? api::Reason::recipient_missing : api::Reason::recipient_invalid, error);
}

StepFailure read_recipients(RunState& run) {
  const std::string& path = run.settings.sops_config;
  const auto text = read_text_file(path, age::k_sops_yaml_limit_bytes);
  if (!text) {
    Failure failure = failure_as(api::Reason::recipient_missing, text.error());
    failure.hint = "install with your .sops.yaml (ConfigMap railiance-backup-sops, key .sops.yaml)";
    return failure;
  }
  auto rule = age::recipient_rule_of_sops_yaml(*text);
  if (!rule) {
    return recipient_failure(std::move(rule).error().within(path));
  }
  run.recipients = std::move(rule->recipients);
  run.manifest.recipient_rule = std::move(rule->rule);
  for (const age::Recipient& recipient : run.recipients) {
    run.manifest.recipients.push_back(recipient.text());
  }
  return std::nullopt;
}

/// A set that is not signed would be refused by a restore, so there is no run without the key.
StepFailure get_signing_key(RunState& run) {
  auto key = host_key(run.settings.key_dir);
  if (!key) {
    return storage_failure(std::move(key).error().within("signing key"));
  }
  const auto replaced = publish_key(*run.directory, key->public_key());
  if (!replaced) {
    return storage_failure(replaced.error());
  }
  if (*replaced) {
    log::warn("this host has a new signing key",
              Error{ErrorCode::incomplete,
                    "sets before this one are signed by " + **replaced,
                    "its public key stays beside them: railiance-restore --public-key"});
  }
  run.key = std::move(*key);
  run.status.signing_key = run.key->public_key().line();
  run.manifest.signed_by = sign::to_string(run.key->public_key().id());
  return std::nullopt;
}

/// A run that fails prunes nothing: what helps a full disk is a command.
void add_way_out(Failure& failure, const RunState& run) {
  const set::BackupSet* const oldest = set::to_give_up(run.earlier_sets);
  if (failure.reason == api::Reason::storage_full && oldest != nullptr) {
    failure.hint +=
        "; the oldest set goes with: rm " + run.directory->path() + "/*-" + oldest->run_id + ".*";
  }
}

StepFailure look_at_earlier_sets(RunState& run) {
  auto sets = set::list_sets(*run.directory);
  if (!sets) {
    return storage_failure(sets.error());
  }
  run.earlier_sets = std::move(*sets);
  for (const set::BackupSet& set : run.earlier_sets) {
    if (set.run_id == run.order.run_id) {
      return Failure{api::Reason::storage_failed,
                     run.settings.backup_dir + ": there is a backup set " + set.run_id + " already",
                     "start the backup again: each run has its own second"};
    }
  }
  const bool etcd = run.order.wants(api::ArtifactType::etcd_snapshot);
  auto failure = check_space(*run.directory,
                             run.k3s.snapshot_dir,
                             etcd ? etcd_database_bytes(run.settings.data_dir) : 0,
                             etcd ? set::expected_run_bytes(run.earlier_sets) : 0);
  if (failure) {
    add_way_out(*failure, run);
  }
  return failure;
}

} // namespace

StepFailure prepare(RunState& run) {
  run.enter(step::k_preparing);
  if (auto failure = open_and_lock(run)) {
    return failure;
  }
  if (auto failure = read_recipients(run)) {
    return failure;
  }
  if (auto failure = sweep(run)) {
    return failure;
  }
  if (auto failure = get_signing_key(run)) {
    return failure;
  }
  if (auto failure = look_at_earlier_sets(run)) {
    return failure;
  }
  return run.stopped(step::k_preparing);
}

} // namespace rb::agent

// The run as a whole, and its first steps: what must hold before anything is asked of k3s.
#include "agent/run/backup_run.hpp"

#include "agent/host/host_key.hpp"
#include "agent/run/leftovers.hpp"
#include "agent/run/run_state.hpp"
#include "datastore/datastore.hpp"
#include "set/rewrap.hpp"
#include "terminal/log.hpp"

#include "age/sops_yaml.hpp"
#include "base/disk_space.hpp"
#include "base/fd.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>

namespace rb::agent {

namespace {

/// The other artifacts, and room for the file system's own needs.
constexpr std::uint64_t k_margin_bytes = std::uint64_t{16} << 20U;

void begin(BackupRun& run) {
  set::Manifest& manifest = run.manifest;
  manifest.run_id = run.order.run_id;
  manifest.start_time = run.ports.clock.now();
  manifest.generator = "railiance-backup " RB_VERSION;
  manifest.cluster_backup_name = run.order.cluster_backup_name;
  manifest.cluster_backup_uid = run.order.cluster_backup_uid;
  manifest.node_name = run.settings.node_name;
  manifest.node_address = run.settings.node_address;
  manifest.servers = run.order.servers;
  manifest.manual = run.order.manual;
  manifest.requested = run.order.artifacts;
  manifest.missing = run.order.missing;
  manifest.not_covered = set::default_not_covered();
  run.status.observed_generation = run.order.generation;
  for (const std::string_view type : {api::condition_type::k_succeeded,
                                      api::condition_type::k_snapshot_taken,
                                      api::condition_type::k_proven,
                                      api::condition_type::k_artifacts_stored,
                                      api::condition_type::k_verified,
                                      api::condition_type::k_pruned}) {
    if (type == api::condition_type::k_proven &&
        run.order.verification != api::Verification::boot) {
      continue; // absent where nobody asked for it
    }
    const bool whole = type == api::condition_type::k_succeeded;
    run.note(type,
             api::ConditionStatus::unknown,
             whole ? api::Reason::running : api::Reason::pending,
             whole ? "the run is in progress" : "not yet");
  }
}

Status timed(BackupRun& run, std::string_view name, const std::function<Status()>& step) {
  const auto begin = run.ports.clock.steady_now();
  Status done = step();
  run.durations[std::string(name)] = run.ports.clock.steady_now() - begin;
  return done;
}

Status datastore_step(BackupRun& run) {
  Status done = timed(run, k_datastore_step, [&run] {
    run.fetch_helm();
    return run.back_up_datastore();
  });
  // A proof is made while the plaintext is there, inside this step, and counts for itself.
  const auto proof = run.durations.find(std::string(step::k_proving_snapshot));
  if (proof != run.durations.end()) {
    run.durations[std::string(k_datastore_step)] -= proof->second;
  }
  return done;
}

/// From the lock to the manifest.
Status store_everything(BackupRun& run) {
  RB_TRY(timed(run, step::k_preparing, [&run] { return run.prepare(); }));
  RB_TRY(datastore_step(run));
  RB_TRY(timed(run, step::k_storing_artifacts, [&run] { return run.store_small_artifacts(); }));
  if (run.manifest.artifacts.empty()) {
    const api::MissingArtifact& first = run.manifest.missing.front();
    return Error{ErrorCode::incomplete, "nothing could be stored: " + first.message, {}}.because(
        first.reason);
  }
  return run.write_manifest();
}

RunReport ended(BackupRun& run, Outcome outcome) {
  finish_status(run.status, outcome, run.ports.clock.now());
  put_facts(run.status, run.manifest);
  run.log_outcome(outcome);
  RunReport report(std::move(outcome));
  report.status = run.status;
  report.step_durations = run.durations;
  report.directory_used = run.directory.has_value();
  return report;
}

Status open_and_lock(BackupRun& run) {
  RB_TRY_ASSIGN(auto directory, open_backup_directory(run.settings, run.ports.open_directory));
  RB_TRY_ASSIGN(auto lock, set::DirectoryLock::acquire(directory.path()));
  RB_TRY(check_alone(directory, run.settings.node_name, run.ports.clock.now()));
  run.directory = std::move(directory);
  run.lock = std::move(lock);
  return {};
}

Status read_recipients(BackupRun& run) {
  const std::string& path = run.settings.sops_config;
  const auto text = read_text_file(path, age::k_sops_yaml_limit_bytes);
  if (!text) {
    return Error{text.error().code,
                 text.error().message,
                 "install with your .sops.yaml (ConfigMap railiance-backup-sops, key .sops.yaml)"}
        .because(api::Reason::recipient_missing);
  }
  auto rule = age::recipient_rule_of_sops_yaml(*text);
  if (!rule) {
    const bool none = rule.error().code == ErrorCode::not_found;
    return std::move(rule).error().within(path).because(none ? api::Reason::recipient_missing
                                                             : api::Reason::recipient_invalid);
  }
  run.recipients = std::move(rule->recipients);
  run.manifest.recipient_rule = std::move(rule->rule);
  for (const age::Recipient& recipient : run.recipients) {
    run.manifest.recipients.push_back(recipient.text());
  }
  return {};
}

Status sweep(BackupRun& run) {
  RB_TRY(set::sweep_leftovers(*run.directory));
  const auto swept =
      sweep_unfinished(*run.directory, run.ports.processes, run.k3s, run.ports.clock.now());
  if (run.ports.prover != nullptr) {
    run.ports.prover->sweep();
  }
  if (!swept) {
    // A plaintext that cannot be removed is no reason to make no backup; it is tried again.
    log::warn("sweep of unfinished runs", swept.error());
  }
  return {};
}

/// A set that is not signed would be refused by a restore, so there is no run without the key.
Status get_signing_key(BackupRun& run) {
  auto key = host_key(run.settings.key_dir);
  if (!key) {
    return std::move(key).error().within("signing key");
  }
  RB_TRY_ASSIGN(const auto replaced, publish_key(*run.directory, key->public_key()));
  if (replaced) {
    log::warn("this host has a new signing key",
              Error{ErrorCode::incomplete,
                    "sets before this one are signed by " + *replaced,
                    "its public key stays beside them: railiance-restore --public-key"});
  }
  if (Status finished = set::finish_rewraps(*run.directory, *key); !finished) {
    // What stays beside a set that counts keeps no backup from being made; it is tried again.
    log::warn("what a rewrap left", std::move(finished).error());
  }
  run.key = std::move(*key);
  run.status.signing_key = run.key->public_key().line();
  run.manifest.signed_by = sign::to_string(run.key->public_key().id());
  return {};
}

/// Size of the database: a snapshot is a copy of it. 0 when it is not there.
std::uint64_t database_bytes_of(const BackupRun& run) {
  const std::string& data_dir = run.settings.data_dir;
  const auto kind = datastore::kind_at(run.k3s.datastore, data_dir);
  return kind ? datastore::of(*kind).bytes_in(data_dir) : 0;
}

std::string nearest_existing(std::filesystem::path path) {
  std::error_code ignored;
  while (!path.empty() && path != path.root_path() && !std::filesystem::exists(path, ignored)) {
    path = path.parent_path();
  }
  return path.string();
}

bool on_one_file_system(const std::string& a, const std::string& b) {
  struct stat first {};
  struct stat second {};
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev;
}

/// Whether a snapshot would fit, before k3s is asked for one: k3s itself says nothing when its disk
/// is full. The bytes of the database are needed where k3s puts its snapshots (or in the nearest
/// directory above it that exists) and about as many in the backup directory: twice, when both are
/// on one file system. Where the size is not known, as many as the last run took.
Status check_space(BackupRun& run) {
  const bool wanted = run.order.wants(api::ArtifactType::datastore);
  const std::uint64_t database_bytes = wanted ? database_bytes_of(run) : 0;
  const std::uint64_t usual_bytes = wanted ? set::expected_run_bytes(run.earlier_sets) : 0;
  const std::string snapshots = nearest_existing(run.k3s.snapshot_dir);
  const bool shared = on_one_file_system(run.directory->path(), snapshots);
  const std::uint64_t needed = database_bytes + k_margin_bytes;
  RB_TRY(set::check_free_space(
      *run.directory, database_bytes == 0 ? usual_bytes : needed + (shared ? database_bytes : 0)));
  struct statvfs space {};
  if (shared || database_bytes == 0 || ::statvfs(snapshots.c_str(), &space) != 0) {
    return {};
  }
  const std::uint64_t available = space_of(space).available_bytes;
  if (available >= needed) {
    return {};
  }
  return Error{ErrorCode::no_space,
               snapshots + ": " + std::to_string(available) +
                   " bytes are free, and a snapshot needs " + std::to_string(needed),
               "free some space in k3s's snapshot directory"};
}

Status look_at_earlier_sets(BackupRun& run) {
  RB_TRY_ASSIGN(run.earlier_sets, set::list_sets(*run.directory));
  for (const set::BackupSet& set : run.earlier_sets) {
    if (set.run_id == run.order.run_id && set.manifest &&
        is_of_another_server(*set.manifest, run.order, run.settings.node_name)) {
      return shared_with(run.settings.backup_dir, set.run_id, set.manifest->node_name);
    }
    if (set.run_id == run.order.run_id) {
      return Error{ErrorCode::already_exists,
                   run.settings.backup_dir + ": there is a backup set " + set.run_id + " already",
                   "start the backup again: each run has its own second"};
    }
  }
  Status fits = check_space(run);
  // A run that fails prunes nothing: what helps a full disk is a command.
  const set::BackupSet* const oldest = set::to_give_up(run.earlier_sets);
  if (!fits && fits.error().code == ErrorCode::no_space && oldest != nullptr) {
    fits.error().hint +=
        "; the oldest set goes with: rm " + run.directory->path() + "/*-" + oldest->run_id + ".*";
  }
  return fits;
}

} // namespace

Status BackupRun::prepare() {
  enter(step::k_preparing);
  RB_TRY(open_and_lock(*this));
  RB_TRY(read_recipients(*this));
  RB_TRY(sweep(*this));
  RB_TRY(get_signing_key(*this));
  RB_TRY(look_at_earlier_sets(*this));
  return check_stop(control, step::k_preparing);
}

void BackupRun::note(std::string_view type,
                     api::ConditionStatus value,
                     api::Reason reason,
                     const std::string& message) {
  set_step(status, type, value, reason, message, ports.clock.now());
  put_facts(status, manifest);
  ports.on_status(status);
}

void BackupRun::enter(std::string_view step, std::uint64_t done, std::uint64_t total) const {
  ports.on_progress({std::string(step), done, total});
}

Error BackupRun::stopped_or(std::string_view step, Error error) const {
  Status stopped = check_stop(control, step);
  return stopped ? std::move(error) : std::move(stopped).error();
}

void BackupRun::add_missing(api::ArtifactType type, const Error& error) {
  if (std::ranges::find(manifest.missing, type, &api::MissingArtifact::type) ==
      manifest.missing.end()) {
    Outcome outcome = outcome_of(error);
    manifest.missing.push_back({type, outcome.reason, std::move(outcome.message)});
  }
}

void BackupRun::add_stored(api::ArtifactType type, const set::StoredFile& file) {
  manifest.artifacts.push_back({type, file.name, file.size_bytes, to_hex(file.sha256)});
  put_facts(status, manifest);
  ports.on_status(status);
}

bool RunOrder::wants(api::ArtifactType type) const {
  return std::ranges::find(artifacts, type) != artifacts.end();
}

RunOrder run_order_from(const api::NodeBackup& order) {
  return {order.spec,
          order.meta.controller_owner ? order.meta.controller_owner->uid : order.meta.name,
          order.meta.generation};
}

RunReport run_backup(const Settings& settings,
                     const RunOrder& order,
                     const RunPorts& ports,
                     const RunControl& control) {
  BackupRun run{settings, order, ports, control};
  begin(run);
  if (const Status stored = store_everything(run); !stored) {
    run.take_back();
    return ended(run, outcome_of(stored.error()));
  }
  static_cast<void>(timed(run, step::k_pruning, [&run] {
    run.prune_old_sets();
    return Status();
  }));
  if (Status stamped = run.write_stamp(); !stamped) {
    return ended(run,
                 outcome_of(std::move(stamped).error().within(
                     "the set is whole, but the stamp was not written")));
  }
  run.put_kit();
  return ended(run, outcome_of(run.manifest));
}

} // namespace rb::agent

// The etcd artifact: datastore, snapshot, encryption, and the removal of the plaintext.
#include "agent/plaintext.hpp"
#include "agent/run_state.hpp"
#include "agent/snapshot_store.hpp"
#include "k3s/datastore.hpp"
#include "terminal/log.hpp"

namespace rb::agent {

namespace {

/// Removes the plaintext of this run when it goes, however the step ends.
class PlaintextGuard {
public:
  explicit PlaintextGuard(RunState& run) : m_run(run) {}
  ~PlaintextGuard() { remove(); }
  PlaintextGuard(const PlaintextGuard&) = delete;
  PlaintextGuard& operator=(const PlaintextGuard&) = delete;
  PlaintextGuard(PlaintextGuard&&) = delete;
  PlaintextGuard& operator=(PlaintextGuard&&) = delete;

  /// The save has ended for sure: no file will come late, the marker can go with the file.
  void save_has_ended() { m_save_has_ended = true; }

private:
  void remove() {
    bool gone = true;
    for (const std::string& directory : m_run.k3s.plaintext_dirs) {
      gone = remove_from(directory) && gone;
    }
    if (gone && m_save_has_ended) {
      const Status cleared = clear_unfinished(*m_run.directory, m_run.order.run_id);
      if (!cleared) {
        log::warn("marker of the run", cleared.error());
      }
    }
  }

  bool remove_from(const std::string& directory) {
    const auto names = snapshots_of_run(directory, m_run.order.run_id);
    bool gone = names.has_value();
    for (const std::string& name : names ? *names : std::vector<std::string>()) {
      const auto removed =
          remove_snapshot(m_run.ports.processes, m_run.k3s.command, directory, name);
      if (!removed) {
        log::error("plaintext snapshot not removed; it will be tried again", removed.error());
        gone = false;
      }
    }
    return gone;
  }

  RunState& m_run;
  bool m_save_has_ended = false;
};

StepFailure store(RunState& run, const SavedSnapshot& saved) {
  run.enter(step::k_encrypting_snapshot);
  StoreRequest request;
  request.path = saved.path;
  request.name = saved.name;
  request.file_name = api::file_name(api::ArtifactType::etcd_snapshot, run.order.run_id);
  request.recipients = run.recipients;
  request.node_name = run.settings.node_name;
  request.threads = run.settings.encryption_threads;
  request.progress = [&run](std::uint64_t done, std::uint64_t total) {
    run.enter(step::k_encrypting_snapshot, done, total);
  };
  auto stored = store_snapshot(*run.directory, request, run.control);
  if (auto* failure = std::get_if<Failure>(&stored)) {
    return std::move(*failure);
  }
  auto& snapshot = std::get<StoredSnapshot>(stored);
  run.manifest.snapshot = snapshot.record;
  run.node = std::move(snapshot.node);
  run.status.etcd = api::EtcdStatus{snapshot.record.revision, snapshot.record.total_keys};
  run.add_stored(api::ArtifactType::etcd_snapshot, snapshot.file);
  return std::nullopt;
}

void note_taken(RunState& run) {
  run.note(api::condition_type::k_snapshot_taken,
           api::ConditionStatus::true_,
           api::Reason::completed,
           "snapshot " + run.manifest.snapshot->name + ": revision " +
               std::to_string(run.manifest.snapshot->revision) + ", " +
               std::to_string(run.manifest.snapshot->total_keys) + " keys");
}

StepFailure take_and_store(RunState& run) {
  run.enter(step::k_taking_snapshot);
  const Status marked = mark_unfinished(*run.directory, run.order.run_id);
  if (!marked) {
    return storage_failure(marked.error());
  }
  PlaintextGuard guard(run);
  const SaveRequest request{run.settings, run.k3s.command, run.order.run_id, run.k3s.snapshot_dir};
  auto saved = save_snapshot(run.ports.processes, request, run.control, run.ports.wait);
  if (auto* failure = std::get_if<Failure>(&saved)) {
    return std::move(*failure);
  }
  guard.save_has_ended();
  const auto& snapshot = std::get<SavedSnapshot>(saved);
  if (auto failure = store(run, snapshot)) {
    return failure;
  }
  note_taken(run);
  // The plaintext goes with the guard: until then it can be booted from, without any key.
  return prove_snapshot(run, snapshot.path);
}

} // namespace

StepFailure back_up_etcd(RunState& run) {
  if (!run.order.wants(api::ArtifactType::etcd_snapshot)) {
    run.note(api::condition_type::k_snapshot_taken,
             api::ConditionStatus::false_,
             api::Reason::not_requested,
             "EtcdSnapshot is not in spec.artifacts");
    if (run.order.verification == api::Verification::boot) {
      set::ProofRecord nothing;
      nothing.reason = api::Reason::proof_unavailable;
      nothing.message = "EtcdSnapshot is not in spec.artifacts: there is nothing to boot from";
      note_proof(run, std::move(nothing));
    }
    return std::nullopt;
  }
  const std::string& data_dir = run.settings.data_dir;
  const Status is_etcd = k3s::check_is_etcd(
      k3s::detect_datastore(k3s::probe_datastore(data_dir, run.k3s.settings)), data_dir);
  StepFailure failure =
      is_etcd ? take_and_store(run) : failure_as(api::Reason::datastore_not_etcd, is_etcd.error());
  if (failure && !run.manifest.snapshot) {
    run.note(api::condition_type::k_snapshot_taken,
             api::ConditionStatus::false_,
             failure->reason,
             failure->text());
  }
  if (failure) {
    return failure;
  }
  return run.stopped(step::k_encrypting_snapshot);
}

} // namespace rb::agent

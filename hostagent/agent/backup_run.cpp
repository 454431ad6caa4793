#include "agent/backup_run.hpp"

#include "agent/mounted_files.hpp"
#include "k3s/host_settings.hpp"
#include "agent/run_state.hpp"
#include "agent/settlement.hpp"
#include "terminal/log.hpp"

#include <algorithm>
#include <filesystem>

namespace rb::agent {

namespace {

constexpr std::string_view k_etcd = "Etcd";

class BackupRun {
public:
  explicit BackupRun(RunState& run) : m_run(run) {}

  RunReport execute() {
    begin();
    if (auto failure = store_everything()) {
      return failed(*failure);
    }
    timed(step::k_pruning, [this] {
      prune_old_sets(m_run);
      return StepFailure();
    });
    if (auto failure = write_stamp_of(m_run)) {
      failure->message = "the set is whole, but the stamp was not written: " + failure->message;
      return ended(failure->reason, failure->text());
    }
    write_kit_of(m_run);
    const Failure outcome = outcome_of(m_run.manifest);
    return ended(outcome.reason, outcome.text());
  }

private:
  void begin() {
    set::Manifest& manifest = m_run.manifest;
    manifest.run_id = m_run.order.run_id;
    manifest.start_time = m_run.ports.clock.now();
    manifest.generator = "railiance-backup " RB_VERSION;
    manifest.cluster_backup_name = m_run.order.cluster_backup_name;
    manifest.cluster_backup_uid = m_run.order.cluster_backup_uid;
    manifest.node_name = m_run.settings.node_name;
    manifest.node_address = m_run.settings.node_address;
    manifest.manual = m_run.order.manual;
    manifest.requested = m_run.order.artifacts;
    manifest.missing = m_run.order.missing;
    manifest.not_covered = set::default_not_covered();
    m_run.status.observed_generation = m_run.order.generation;
    m_run.status.missing = manifest.missing;
    for (const std::string_view type : {api::condition_type::k_succeeded,
                                        api::condition_type::k_snapshot_taken,
                                        api::condition_type::k_proven,
                                        api::condition_type::k_artifacts_stored,
                                        api::condition_type::k_verified,
                                        api::condition_type::k_pruned}) {
      if (type == api::condition_type::k_proven &&
          m_run.order.verification != api::Verification::boot) {
        continue; // absent where nobody asked for it
      }
      const bool whole = type == api::condition_type::k_succeeded;
      m_run.note(type,
                 api::ConditionStatus::unknown,
                 whole ? api::Reason::running : api::Reason::pending,
                 whole ? "the run is in progress" : "not yet");
    }
  }

  /// A proof is made while the plaintext is there, inside the etcd step, and counts for itself.
  void take_proof_out() {
    const auto proof = m_run.durations.find(std::string(step::k_proving_snapshot));
    if (proof != m_run.durations.end()) {
      m_run.durations[std::string(k_etcd)] -= proof->second;
    }
  }

  template <typename Step> StepFailure timed(std::string_view name, Step step) {
    const auto begin = m_run.ports.clock.steady_now();
    StepFailure failure = step();
    m_run.durations[std::string(name)] = m_run.ports.clock.steady_now() - begin;
    return failure;
  }

  StepFailure store_everything() {
    if (auto failure = timed(step::k_preparing, [this] { return prepare(m_run); })) {
      return failure;
    }
    StepFailure etcd = timed(k_etcd, [this] {
      fetch_helm(m_run);
      return back_up_etcd(m_run);
    });
    take_proof_out();
    if (etcd) {
      return etcd;
    }
    if (auto failure =
            timed(step::k_storing_artifacts, [this] { return store_small_artifacts(m_run); })) {
      return failure;
    }
    if (m_run.manifest.artifacts.empty()) {
      const api::MissingArtifact& first = m_run.manifest.missing.front();
      return Failure{first.reason, "nothing could be stored: " + first.message, {}};
    }
    return write_manifest_of(m_run);
  }

  RunReport failed(const Failure& failure) {
    if (m_run.directory && m_run.lock) {
      take_back(m_run);
    }
    return ended(failure.reason, failure.text());
  }

  RunReport ended(api::Reason reason, const std::string& message) {
    finish_status(m_run.status, reason, message, m_run.ports.clock.now());
    log_run(m_run, reason, message);
    RunReport report;
    report.reason = reason;
    report.message = message;
    report.status = m_run.status;
    report.step_durations = m_run.durations;
    report.directory_used = m_run.directory.has_value();
    return report;
  }

  RunState& m_run;
};

} // namespace

K3sPlace find_k3s(const Settings& settings) {
  K3sPlace place;
  k3s::HostSettings server = k3s::read_host_settings(MountedFiles(settings));
  if (!server.problem.empty()) {
    log::warn("configuration of the k3s server", {ErrorCode::corrupt, server.problem, {}});
  }
  const std::string own = server.settings.value("etcd-snapshot-dir");
  const std::string usual = k3s::snapshot_directory(settings.data_dir, {});
  const std::string configured = k3s::snapshot_directory(settings.data_dir, own);
  const std::string& directory =
      settings.etcd_snapshot_dir.empty() ? own : settings.etcd_snapshot_dir;
  place.snapshot_dir = k3s::snapshot_directory(settings.data_dir, directory);
  std::error_code unseen;
  if (settings.etcd_snapshot_dir.empty() && configured != usual &&
      !std::filesystem::is_directory(configured, unseen)) {
    log::warn("etcd-snapshot-dir of the k3s server",
              Error{ErrorCode::not_found,
                    configured + ": not to be seen here; snapshots are taken in " + usual,
                    "mount it (agent.snapshotDir of the chart) to have them taken there"});
    place.snapshot_dir = usual;
  }
  for (const std::string& path : {place.snapshot_dir, usual, configured}) {
    if (std::ranges::find(place.plaintext_dirs, path) == place.plaintext_dirs.end()) {
      place.plaintext_dirs.push_back(path);
    }
  }
  place.command.program = settings.k3s_program;
  place.command.data_dir = settings.data_dir;
  place.command.node_name = settings.node_name;
  place.command.snapshot_dir = directory.empty() ? std::string() : place.snapshot_dir;
  place.command.logs_to_file = !server.settings.value("log").empty();
  place.command.etcd_server = settings.etcd_server;
  const std::string port = server.settings.value("https-listen-port");
  if (settings.etcd_server.empty() && !port.empty() && port != "6443") {
    place.command.etcd_server = "https://127.0.0.1:" + port;
  }
  place.settings = std::move(server.settings);
  return place;
}

RunReport run_backup(const Settings& settings,
                     const RunOrder& order,
                     const RunPorts& ports,
                     const RunControl& control) {
  RunState run{settings,
               order,
               ports,
               control,
               find_k3s(settings),
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {},
               {}};
  return BackupRun(run).execute();
}

} // namespace rb::agent

// What the steps of one run share. Private to backup_run and its steps.
#pragma once

#include "agent/backup_run.hpp"
#include "agent/failure.hpp"
#include "agent/run_status.hpp"
#include "k3s/datastore.hpp"
#include "k3s/server_settings.hpp"
#include "set/directory.hpp"
#include "set/manifest.hpp"
#include "set/retention.hpp"
#include "set/sets.hpp"
#include "sign/signing_key.hpp"

#include "age/identity.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::agent {

namespace step {
inline constexpr std::string_view k_preparing = "Preparing";
inline constexpr std::string_view k_taking_snapshot = "TakingSnapshot";
inline constexpr std::string_view k_encrypting_snapshot = "EncryptingSnapshot";
inline constexpr std::string_view k_proving_snapshot = "ProvingSnapshot";
inline constexpr std::string_view k_storing_artifacts = "StoringArtifacts";
inline constexpr std::string_view k_pruning = "Pruning";
} // namespace step

/// What retention will take, chosen before the manifest is written, which names it.
struct RemovalChoice {
  set::RemovalPlan plan;
  std::optional<Error> problem; ///< Nobody knows what must stay: nothing goes.
};

struct RunState {
  const Settings& settings;
  const RunOrder& order;
  const RunPorts& ports;
  const RunControl& control;
  K3sPlace k3s;
  // The lock goes before the directory does.
  std::optional<set::Directory> directory;
  std::optional<set::DirectoryLock> lock;
  std::vector<age::Recipient> recipients;
  std::vector<set::BackupSet> earlier_sets;
  std::optional<sign::SigningKey> key;
  RemovalChoice removal;
  set::Manifest manifest;
  api::NodeBackupStatus status;
  Bytes helm_ciphertext;
  std::map<std::string, std::chrono::duration<double>> durations;
  k3s::NodeArguments node; ///< What the snapshot says of this server.
  std::string kit_problem; ///< Why the kit is not as it should be; empty when it is.

  /// Sets a condition and tells the observer.
  void note(std::string_view type,
            api::ConditionStatus value,
            api::Reason reason,
            const std::string& message);
  /// Tells the observer where the run is.
  void enter(std::string_view step, std::uint64_t done = 0, std::uint64_t total = 0);
  /// Why the run was stopped, if it was.
  [[nodiscard]] StepFailure stopped(std::string_view step) const;
  /// One entry a type: the first one stays.
  void add_missing(api::ArtifactType type, const Failure& failure);
  void add_stored(api::ArtifactType type, const set::StoredFile& file);
};

// The steps, in order. Each returns why the run cannot go on, or nothing.

/// Directory, lock, leftovers, recipients, space.
[[nodiscard]] StepFailure prepare(RunState& run);
/// Datastore, snapshot, encryption, verification; no plaintext is left, whatever happens.
[[nodiscard]] StepFailure back_up_etcd(RunState& run);
/// Boots a server from the plaintext snapshot, where that was asked for. Only a stop of the run
/// ends it here: a set that could not be proven is stored all the same, and the manifest says so.
[[nodiscard]] StepFailure prove_snapshot(RunState& run, const std::string& snapshot_path);
/// What came of the proof: into the manifest and the condition Proven.
void note_proof(RunState& run, set::ProofRecord proof);
/// Fetches the Helm payload early, while the API is surely there; never ends the run.
void fetch_helm(RunState& run);
/// Kubeconfig, host state and Helm values: what is missing makes the set incomplete.
[[nodiscard]] StepFailure store_small_artifacts(RunState& run);
[[nodiscard]] StepFailure write_manifest_of(RunState& run);
/// Retention, after a complete run only (one whose proof failed is complete, but counts for
/// nothing); never ends the run.
void prune_old_sets(RunState& run);
[[nodiscard]] StepFailure write_stamp_of(RunState& run);
/// RESTORE.md and railiance-restore, after a complete run; a failure is said and ends nothing.
void write_kit_of(RunState& run);
/// One line in backup.log; a failure is only logged.
void log_run(RunState& run, api::Reason reason, const std::string& message);
/// Removes the artifacts that this run stored, after a failure.
void take_back(RunState& run);

} // namespace rb::agent

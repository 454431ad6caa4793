// One run: what its steps share, and the steps in their order. Private to the sources of the run.
#pragma once

#include "agent/run/backup_run.hpp"
#include "agent/run/k3s_snapshots.hpp"
#include "k3s/server_settings.hpp"
#include "set/directory.hpp"
#include "set/manifest.hpp"
#include "set/retention.hpp"
#include "set/sets.hpp"
#include "sign/signing_key.hpp"

#include "age/identity.hpp"

#include <map>
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

struct BackupRun {
  const Settings& settings;
  const RunOrder& order;
  const RunPorts& ports;
  const RunControl& control;
  K3sPlace k3s = find_k3s(settings);
  // Both or none. The lock goes before the directory does.
  std::optional<set::Directory> directory = {};
  std::optional<set::DirectoryLock> lock = {};
  std::vector<age::Recipient> recipients = {};
  std::vector<set::BackupSet> earlier_sets = {};
  std::optional<sign::SigningKey> key = {};
  set::Manifest manifest = {};
  api::NodeBackupStatus status = {}; ///< The facts in it are those of the manifest: put_facts().
  Bytes helm_ciphertext = {};
  std::map<std::string, std::chrono::duration<double>> durations = {};
  k3s::NodeArguments node = {};    ///< What the snapshot says of this server.
  std::string server_version = {}; ///< Of the k3s that runs, by its Node; empty: nobody says.
  /// What retention will take, chosen before the manifest is written, which names what stays. An
  /// error: nobody knows what must stay, so nothing goes.
  Result<set::RemovalPlan> removal = set::RemovalPlan{};
  std::string kit_problem = {}; ///< Why the kit is not as it should be; empty when it is.

  // The steps, in order. The error of one is why the run cannot go on.

  /// Directory, lock, leftovers, recipients, space.
  [[nodiscard]] Status prepare();
  /// Fetches the Helm payload early, while the API is surely there; never ends the run.
  void fetch_helm();
  /// Copy, encryption, verification; no plaintext is left, whatever happens. Where the datastore is
  /// an external one it is missing, and the run goes on.
  [[nodiscard]] Status back_up_datastore();
  /// Boots a server from the plaintext snapshot, where that was asked for. Only a stop of the run
  /// ends it here: a set that could not be proven is stored all the same, and the manifest says so.
  [[nodiscard]] Status prove_snapshot(const std::string& snapshot_path);
  /// Kubeconfig, host state and Helm values: what is missing makes the set incomplete.
  [[nodiscard]] Status store_small_artifacts();
  [[nodiscard]] Status write_manifest();
  /// Retention, after a complete run only (one whose proof failed is complete, but counts for
  /// nothing); never ends the run.
  void prune_old_sets();
  [[nodiscard]] Status write_stamp();
  /// RESTORE.md, railiance-restore and the image, after a complete run; a failure is said and ends
  /// nothing.
  void put_kit();
  /// One line in backup.log; a failure is only logged.
  void log_outcome(const Outcome& outcome);
  /// Removes the artifacts that this run stored, after a failure.
  void take_back();

  // What the steps use.

  /// Sets a condition, and reports.
  void note(std::string_view type,
            api::ConditionStatus value,
            api::Reason reason,
            const std::string& message);
  /// What came of the proof: into the manifest and the condition Proven.
  void note_proof(set::ProofRecord proof);
  /// Reports where the run is.
  void enter(std::string_view step, std::uint64_t done = 0, std::uint64_t total = 0) const;
  /// Why the run was stopped in `step`, where it was; else `error`.
  [[nodiscard]] Error stopped_or(std::string_view step, Error error) const;
  /// One entry a type: the first one stays.
  void add_missing(api::ArtifactType type, const Error& error);
  void add_stored(api::ArtifactType type, const set::StoredFile& file);
};

} // namespace rb::agent

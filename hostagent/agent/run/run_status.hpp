// What a run ended with, and what the status of its NodeBackup says while it goes on and
// afterwards: the facts of a run are those of its manifest. Pure.
#pragma once

#include "set/manifest.hpp"

#include "api/backup.hpp"
#include "base/clock.hpp"

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::agent {

/// What the condition Succeeded says of a run that has ended.
struct Outcome {
  api::Reason reason = api::Reason::internal_error;
  std::string message;

  [[nodiscard]] bool succeeded() const { return reason == api::Reason::completed; }
};

/// The copy of the datastore and its encryption, whatever kind it is.
inline constexpr std::string_view k_datastore_step = "Datastore";
/// The steps that RunReport::step_durations knows.
inline constexpr std::array<std::string_view, 5> k_timed_steps{
    "Preparing", k_datastore_step, "ProvingSnapshot", "StoringArtifacts", "Pruning"};

struct RunReport : Outcome {
  explicit RunReport(Outcome outcome = {}) : Outcome(std::move(outcome)) {}

  /// Conditions (Succeeded among them), artifacts, missing, etcd, pruned, completion time.
  api::NodeBackupStatus status;
  std::map<std::string, std::chrono::duration<double>> step_durations;
  bool directory_used = false; ///< It could be opened.
};

/// What a run ended with that failed: the reason that the error bears; else that of a failure to
/// write the backup directory: no_space is StorageFull, a digest that does not match is
/// VerificationFailed, a held lock is HostBusy, another disk is StorageNotMounted, everything else
/// StorageFailed. The message is "message; hint", as it stands in a condition.
[[nodiscard]] Outcome outcome_of(const Error& error);

/// What a run ended with whose manifest is this: Completed, Incomplete, or the reason of a proof
/// that is not there. A proof that failed comes before what is missing, that before one that could
/// not be tried.
[[nodiscard]] Outcome outcome_of(const set::Manifest& manifest);

/// Artifacts, missing and etcd, as the manifest has them.
void put_facts(api::NodeBackupStatus& status, const set::Manifest& manifest);

/// Sets the condition `type`; the message is cut to 1,024 characters.
void set_step(api::NodeBackupStatus& status,
              std::string_view type,
              api::ConditionStatus value,
              api::Reason reason,
              const std::string& message,
              SystemTime now);

/// "KubeconfigMissing (Kubeconfig): no kubeconfig found…; HelmFailed (HelmValues): …"
[[nodiscard]] std::string describe_missing(const std::vector<api::MissingArtifact>& missing);

/// "4211 objects of 63 kinds are as in the snapshot (11.5 s, peak memory 430 MiB)", or why not.
[[nodiscard]] std::string proof_text(const set::ProofRecord& proof);

/// Ends the status: Succeeded and the conditions of steps that never came to a result.
void finish_status(api::NodeBackupStatus& status, const Outcome& outcome, SystemTime now);

/// The report of a run that ended before anybody could report it, from its manifest.
[[nodiscard]] RunReport report_of_manifest(const set::Manifest& manifest, SystemTime now);

/// A run that never came to a result.
[[nodiscard]] RunReport failed_report(const Error& error, SystemTime now);

} // namespace rb::agent

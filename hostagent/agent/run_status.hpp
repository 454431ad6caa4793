// Builds the status of a NodeBackup while a run goes on and from what it left on the disk. Pure.
#pragma once

#include "agent/failure.hpp"
#include "agent/run_order.hpp"
#include "set/manifest.hpp"

#include "base/clock.hpp"

#include <string>
#include <string_view>

namespace rb::agent {

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

/// What a run ended with whose manifest is this: Completed, Incomplete, or the reason of a proof
/// that is not there. A proof that failed comes before what is missing, that before one that could
/// not be tried.
[[nodiscard]] Failure outcome_of(const set::Manifest& manifest);

/// Ends the status: Succeeded and the conditions of steps that never came to a result.
void finish_status(api::NodeBackupStatus& status,
                   api::Reason reason,
                   const std::string& message,
                   SystemTime now);

/// The report of a run that ended before anybody could report it, from its manifest.
[[nodiscard]] RunReport report_of_manifest(const set::Manifest& manifest, SystemTime now);

/// A run that never came to a result.
[[nodiscard]] RunReport failed_report(const Failure& failure, SystemTime now);

} // namespace rb::agent

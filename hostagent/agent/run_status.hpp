// Builds the status of a NodeBackup while a run goes on and from what it left on the disk. Pure.
#pragma once

#include "agent/failure.hpp"
#include "agent/run_order.hpp"

#include "artifact/manifest.hpp"
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

/// Ends the status: Succeeded and the conditions of steps that never came to a result.
void finish_status(api::NodeBackupStatus& status,
                   api::Reason reason,
                   const std::string& message,
                   SystemTime now);

/// The report of a run that ended before anybody could report it, from its manifest.
[[nodiscard]] RunReport report_of_manifest(const artifact::Manifest& manifest, SystemTime now);

/// A run that never came to a result.
[[nodiscard]] RunReport failed_report(const Failure& failure, SystemTime now);

} // namespace rb::agent

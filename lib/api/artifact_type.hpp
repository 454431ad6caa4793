// The four artifacts of a backup set: their API names, file names and what their absence means.
#pragma once

#include "base/result.hpp"

#include <array>
#include <string>
#include <string_view>

namespace rb::api {

enum class ArtifactType { etcd_snapshot, helm_values, kubeconfig, host_state };

inline constexpr std::array<ArtifactType, 4> k_all_artifacts{ArtifactType::etcd_snapshot,
                                                             ArtifactType::helm_values,
                                                             ArtifactType::kubeconfig,
                                                             ArtifactType::host_state};

/// "EtcdSnapshot", "HelmValues", "Kubeconfig", "HostState".
[[nodiscard]] std::string_view to_string(ArtifactType type);

/// Errors: invalid_argument.
[[nodiscard]] Result<ArtifactType> parse_artifact_type(std::string_view text);

/// "etcd-<run_id>.snap.age", "helm-values-<run_id>.tar.gz.age", "kubeconfig-<run_id>.yaml.age",
/// "host-state-<run_id>.tar.gz.age".
[[nodiscard]] std::string file_name(ArtifactType type, std::string_view run_id);

} // namespace rb::api

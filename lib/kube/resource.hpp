// Which object of the API is meant, its path, and how its fields are read. Names are checked before
// they become a path.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace rb::kube {

/// A kind of object, as the API server serves it. `group` is empty for the core group.
struct ResourceType {
  std::string_view group;
  std::string_view version;
  std::string_view plural;
  bool namespaced = true;
  bool confidential =
      false; ///< Error messages of the server are not passed on: they may quote data.
};

inline constexpr ResourceType k_namespaces{"", "v1", "namespaces", false, false};
inline constexpr ResourceType k_pods{"", "v1", "pods", true, false};
inline constexpr ResourceType k_secrets{"", "v1", "secrets", true, true};
inline constexpr ResourceType k_config_maps{"", "v1", "configmaps", true, false};
inline constexpr ResourceType k_events{"events.k8s.io", "v1", "events", true, false};
inline constexpr ResourceType k_leases{"coordination.k8s.io", "v1", "leases", true, false};
inline constexpr ResourceType k_helm_charts{"helm.cattle.io", "v1", "helmcharts", true, true};
inline constexpr ResourceType k_cluster_backups{
    "backup.railiance.io", "v1alpha1", "clusterbackups", false, false};
inline constexpr ResourceType k_node_backups{
    "backup.railiance.io", "v1alpha1", "nodebackups", false, false};
inline constexpr ResourceType k_backup_statuses{
    "backup.railiance.io", "v1alpha1", "backupstatuses", false, false};

/// One object. `name_space` is empty for a cluster-scoped type.
struct ObjectRef {
  ResourceType type;
  std::string name_space;
  std::string name;
  std::string subresource; ///< "status", or empty.
};

/// DNS-1123 subdomain, 1..253 characters. Errors: invalid_argument.
[[nodiscard]] Status check_name(std::string_view name);
/// DNS-1123 label, 1..63 characters. Errors: invalid_argument.
[[nodiscard]] Status check_namespace(std::string_view name);

/// "/apis/GROUP/VERSION[/namespaces/NS]/PLURAL/NAME[/SUBRESOURCE]". Errors: invalid_argument (a
/// name that is none; a namespace missing or given where there is none).
[[nodiscard]] Result<std::string> object_path(const ObjectRef& ref);

/// The path of the list; without a namespace, over all namespaces. Errors: invalid_argument.
[[nodiscard]] Result<std::string> collection_path(const ResourceType& type,
                                                  std::string_view name_space);

/// Whether `version` is a resourceVersion older than `than`. They are numbers that grow (promised
/// from Kubernetes 1.35 on, and so in every release before); where one is no number: false.
[[nodiscard]] bool is_older_version(std::string_view version, std::string_view than);

/// metav1.MicroTime, which the API server takes only with six digits after the second:
/// "2026-11-22T11:52:16.000042Z". `micros` is taken modulo one million.
[[nodiscard]] std::string format_micro_time(SystemTime time, std::int64_t micros = 0);

// Fields of an object that may be anything.

/// The number under `key`, if it is from 0 to `most`; else 0.
[[nodiscard]] int int_of(const nlohmann::json& object, const char* key, int most);

/// The object under "metadata", or an empty one.
[[nodiscard]] const nlohmann::json& metadata_of(const nlohmann::json& object);

} // namespace rb::kube

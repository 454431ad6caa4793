// The parts of metav1.ObjectMeta that we use, and the names of our API.
#pragma once

#include "base/clock.hpp"

#include <nlohmann/json_fwd.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace rb::api {

inline constexpr std::string_view k_group = "backup.railiance.io";
inline constexpr std::string_view k_version = "v1alpha1";
inline constexpr std::string_view k_api_version = "backup.railiance.io/v1alpha1";
inline constexpr std::string_view k_cluster_backup_kind = "ClusterBackup";
inline constexpr std::string_view k_cluster_backup_plural = "clusterbackups";
inline constexpr std::string_view k_node_backup_kind = "NodeBackup";
inline constexpr std::string_view k_node_backup_plural = "nodebackups";

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
};

struct ObjectMeta {
  std::string name;
  std::string name_space; ///< Empty for cluster-scoped objects.
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  SystemTime creation_timestamp{};
  std::optional<SystemTime> deletion_timestamp;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::optional<OwnerReference> controller_owner; ///< The owner with controller=true.
};

/// Of an object as the API server sent it. Errors: corrupt.
[[nodiscard]] Result<ObjectMeta> meta_from_json(const nlohmann::json& object);

/// The `metadata` of an object to be created or updated (server-set fields only where they act
/// as preconditions: uid, resourceVersion).
[[nodiscard]] nlohmann::json to_json(const ObjectMeta& meta);

} // namespace rb::api

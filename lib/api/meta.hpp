// What every object of our API has: the parts of metav1.ObjectMeta that we use, metav1.Condition
// with the rules of the API conventions, and the names of the API.
#pragma once

#include "api/reason.hpp"
#include "base/clock.hpp"
#include "base/json_fields.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::api {

inline constexpr std::string_view k_api_version = "backup.railiance.io/v1alpha1";
inline constexpr std::string_view k_cluster_backup_kind = "ClusterBackup";
inline constexpr std::string_view k_node_backup_kind = "NodeBackup";

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

/// Of an object to be created or updated, fields that the server sets are written only where they
/// act as preconditions: uid, resourceVersion.
void fields(JsonFields& json, ObjectMeta& meta);
[[nodiscard]] nlohmann::json to_json(const ObjectMeta& meta);

/// Of an object as the API server sent it. Errors: corrupt.
[[nodiscard]] Result<ObjectMeta> meta_from_json(const nlohmann::json& object);

enum class ConditionStatus { true_, false_, unknown };

/// "True", "False", "Unknown".
[[nodiscard]] std::span<const Word<ConditionStatus>> words_of(ConditionStatus);

/// The condition types of ClusterBackup, in the order of a run. `Succeeded` is the summary.
namespace condition_type {
inline constexpr std::string_view k_succeeded = "Succeeded";
inline constexpr std::string_view k_scheduled = "Scheduled";
inline constexpr std::string_view k_helm_values_collected = "HelmValuesCollected";
inline constexpr std::string_view k_snapshot_taken = "SnapshotTaken";
/// Only of runs that are to be proven (spec.verification: Boot).
inline constexpr std::string_view k_proven = "Proven";
inline constexpr std::string_view k_artifacts_stored = "ArtifactsStored";
inline constexpr std::string_view k_verified = "Verified";
inline constexpr std::string_view k_pruned = "Pruned";
/// Only of runs that go to several servers: each of them has a whole set.
inline constexpr std::string_view k_copies = "Copies";
/// Comes after the end of a run and says nothing about it; absent where off-site is not set up.
inline constexpr std::string_view k_replicated = "Replicated";
/// The one of BackupStatus.
inline constexpr std::string_view k_backup_current = "BackupCurrent";
} // namespace condition_type

struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::unknown;
  std::string reason;  ///< A word of Reason when we wrote it.
  std::string message; ///< For people; no secrets; at most 1,024 characters are sent.
  SystemTime last_transition_time{};
  std::int64_t observed_generation = 0;

  bool operator==(const Condition&) const = default;
};

/// A status that is none of the three says nothing: it is read as Unknown.
void fields(JsonFields& json, Condition& condition);
[[nodiscard]] nlohmann::json to_json(const std::vector<Condition>& conditions);

/// The condition of that type, or null.
[[nodiscard]] const Condition* find_condition(const std::vector<Condition>& conditions,
                                              std::string_view type);

/// Adds or replaces by type. `last_transition_time` is set to `now` when the status is new or
/// flips, and kept otherwise (API conventions, "Typical status properties").
void set_condition(std::vector<Condition>& conditions, Condition condition, SystemTime now);

/// Succeeded is True or False.
[[nodiscard]] bool has_ended(const std::vector<Condition>& conditions);

} // namespace rb::api

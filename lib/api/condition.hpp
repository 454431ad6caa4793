// metav1.Condition, and the rules of the API conventions for changing a list of them.
#pragma once

#include "api/reason.hpp"
#include "base/clock.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::api {

enum class ConditionStatus { true_, false_, unknown };

/// "True", "False", "Unknown".
[[nodiscard]] std::string_view to_string(ConditionStatus status);

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
/// Comes after the end of a run and says nothing about it; absent where off-site is not set up.
inline constexpr std::string_view k_replicated = "Replicated";
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

/// The condition of that type, or null.
[[nodiscard]] const Condition* find_condition(const std::vector<Condition>& conditions,
                                              std::string_view type);

/// Adds or replaces by type. `last_transition_time` is set to `now` when the status is new or
/// flips, and kept otherwise (API conventions, "Typical status properties").
void set_condition(std::vector<Condition>& conditions, Condition condition, SystemTime now);

[[nodiscard]] nlohmann::json to_json(const std::vector<Condition>& conditions);

/// Errors: corrupt.
[[nodiscard]] Result<std::vector<Condition>> conditions_from_json(const nlohmann::json& json);

} // namespace rb::api

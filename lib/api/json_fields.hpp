// Small conversions shared by the two kinds of object. Private to this room.
#pragma once

#include "api/artifact_type.hpp"
#include "api/condition.hpp"
#include "api/verification.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::api {

/// Of a condition and of a missing artifact: the maxLength of crds/.
inline constexpr std::size_t k_message_limit = 1024;

/// spec.trigger: who asked for the run.
inline constexpr std::string_view k_trigger_schedule = "Schedule";
inline constexpr std::string_view k_trigger_manual = "Manual";

/// Succeeded is True or False.
[[nodiscard]] bool has_ended(const std::vector<Condition>& conditions);

/// Absent and null are nullopt. Errors: corrupt. Throws nlohmann's type errors.
[[nodiscard]] Result<std::optional<SystemTime>> time_field(const nlohmann::json& json,
                                                           const char* key);

/// Sets the key, or leaves it out where there is nothing to say.
void put_time(nlohmann::json& json, const char* key, const std::optional<SystemTime>& time);
void put_text(nlohmann::json& json, const char* key, const std::string& text);

/// `text`, cut to `limit` bytes with "..." at the end, never inside a UTF-8 sequence.
[[nodiscard]] std::string bounded(const std::string& text, std::size_t limit);

[[nodiscard]] nlohmann::json to_json(const std::vector<ArtifactType>& types);

// Words that this release does not know go to `unknown`; the rest is read all the same. Each throws
// nlohmann's type errors.
[[nodiscard]] std::vector<ArtifactType> artifact_types_from_json(const nlohmann::json& json,
                                                                 std::vector<std::string>& unknown);
[[nodiscard]] Verification verification_from_json(const nlohmann::json& json,
                                                  std::vector<std::string>& unknown);

} // namespace rb::api

// The sets as `--output json` has them. docs/artifact-format.md has the manifest's own fields.
#pragma once

#include "set/latest.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace rb::restore {

/// runID, time, state, sizeBytes, problems, files; and what the manifest says, where there is one.
[[nodiscard]] nlohmann::ordered_json to_json(const set::BackupSet& set);

/// Adds "latest", a run id or null, and "passedOver", the newer sets: runID and why.
void put_latest(const set::Latest& latest, nlohmann::ordered_json& json);

/// Indented, with a final newline; never throws for text that is not UTF-8.
[[nodiscard]] std::string dump(const nlohmann::ordered_json& json);

} // namespace rb::restore

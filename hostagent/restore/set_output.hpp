// The sets, and what checks of them came to, as commands print them: for people, and as
// `--output json` has them. docs/artifact-format.md has the manifest's own fields.
#pragma once

#include "set/set_check.hpp"
#include "set/sets.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace rb::restore {

/// runID, time, state, sizeBytes, problems, files; and what the manifest says, where there is one.
[[nodiscard]] nlohmann::ordered_json to_json(const set::BackupSet& set);

/// The newer sets: runID and why.
[[nodiscard]] nlohmann::ordered_json passed_over_to_json(const set::Latest& latest);

/// Adds "latest", a run id or null, and "passedOver".
void put_latest(const set::Latest& latest, nlohmann::ordered_json& json);

/// Indented, with a final newline; never throws for text that is not UTF-8.
[[nodiscard]] std::string dump(const nlohmann::ordered_json& json);

/// Of the proof by a boot that a run was asked for: "yes", "FAILED", "no" (none could be made), or
/// "-" where nobody asked.
[[nodiscard]] std::string proof_word(const set::BackupSet& set);

[[nodiscard]] std::string to_text(const set::SetReport& report);
[[nodiscard]] nlohmann::ordered_json to_json(const set::SetReport& report);

/// The first thing that is wrong, in a line; that of a file before that of the set. Empty where all
/// is well.
[[nodiscard]] std::string first_problem(const set::SetReport& report);

} // namespace rb::restore

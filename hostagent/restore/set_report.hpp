// What the checks of a set came to, for people and for programs.
#pragma once

#include "set/set_check.hpp"

#include <nlohmann/json_fwd.hpp>

namespace rb::restore {

/// Of the proof by a boot that a run was asked for: "yes", "FAILED", "no" (none could be made), or
/// "-" where nobody asked.
[[nodiscard]] std::string proof_word(const set::BackupSet& set);

[[nodiscard]] std::string to_text(const set::SetReport& report);
[[nodiscard]] nlohmann::ordered_json to_json(const set::SetReport& report);

} // namespace rb::restore

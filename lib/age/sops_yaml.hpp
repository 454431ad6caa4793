// Finds the age recipients of a .sops.yaml: who may read our backups is who may read the secrets.
// Rules of SOPS 3.13 (age/keysource.go, config/config.go), for what we can honour.
#pragma once

#include "age/recipient.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace rb::age {

/// The path that our backups have in the eyes of `path_regex`.
inline constexpr std::string_view k_nominal_path = "railiance-backup.yaml";

/// Larger files are refused.
inline constexpr std::size_t k_sops_yaml_limit_bytes = std::size_t{1} << 20U;

/// `text` is the contents of a .sops.yaml. The first creation rule whose path_regex (RE2,
/// unanchored; absent means any) matches `nominal_path` decides; if none does, but all rules that
/// have age recipients name the same ones, those are meant. Recipients may be a comma-separated or
/// folded string, or a list whose items may hold commas; duplicates are removed, the order is
/// kept. `key_groups` replaces the flat keys and may hold one group.
/// Errors (messages name no file: use Error::within): not_found (no age recipient where they must
/// be, for example PGP only), unsupported (several key groups, which mean Shamir's scheme; other
/// kinds of recipients), invalid_argument (malformed, or rules that contradict each other).
[[nodiscard]] Result<std::vector<Recipient>>
recipients_from_sops_yaml(std::string_view text, std::string_view nominal_path = k_nominal_path);

} // namespace rb::age

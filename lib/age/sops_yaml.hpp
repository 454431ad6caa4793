// Finds the age recipients of a .sops.yaml: who may read our backups is who may read the secrets.
// Rules of SOPS 3.13 (age/keysource.go, config/config.go), for what we can honour.
#pragma once

#include "age/identity.hpp"
#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::age {

/// The path that our backups have in the eyes of `path_regex`.
inline constexpr std::string_view k_nominal_path = "railiance-backup.yaml";

/// Larger files are refused.
inline constexpr std::size_t k_sops_yaml_limit_bytes = std::size_t{1} << 20U;

/// A creation rule as data, read as SOPS 3.13 reads it (config/config.go) or refused.
struct CreationRule {
  std::optional<std::string> path_regex;
  std::vector<std::string> age; ///< As written, split at commas and trimmed; may be empty.
  std::size_t key_groups = 0;   ///< 0 when the keys are given flat.
  /// What SOPS refuses when this rule is the one, and not before: a rule for other files is
  /// nobody's business.
  std::optional<Error> problem = {};
};

/// In the order of the file; empty when it has none. Errors: invalid_argument (what SOPS refuses
/// wherever it stands).
[[nodiscard]] Result<std::vector<CreationRule>> read_creation_rules(std::string_view text);

/// Who can read the backups, and by what.
struct RecipientRule {
  std::vector<Recipient> recipients;
  /// Which rule gave them, for the operator: "creation rule 2 (path_regex .*\.yaml$)". From a file
  /// of the operator's; not made printable.
  std::string rule;
};

/// `text` is the contents of a .sops.yaml. The first creation rule whose path_regex (RE2,
/// unanchored; absent means any) matches `nominal_path` decides; if none does, but all rules that
/// have age recipients name the same ones in one key group, those are meant. Recipients may be a
/// comma-separated or folded string, or a list whose items may hold commas (a list only, in a key
/// group); duplicates are removed, the order is kept. Merge keys are resolved, a key that stands
/// twice in a map is refused. `key_groups` replaces the flat keys and may hold one group. Errors
/// (messages name no file: use Error::within): not_found (no age recipient where they must be, for
/// example PGP only), unsupported (several key groups, which mean Shamir's scheme; kinds of
/// recipients that we don't take), invalid_argument (malformed, post-quantum recipients beside
/// others, or rules that contradict each other).
[[nodiscard]] Result<std::vector<Recipient>>
recipients_from_sops_yaml(std::string_view text, std::string_view nominal_path = k_nominal_path);

/// The same, with the rule that gave them.
[[nodiscard]] Result<RecipientRule>
recipient_rule_of_sops_yaml(std::string_view text, std::string_view nominal_path = k_nominal_path);

} // namespace rb::age

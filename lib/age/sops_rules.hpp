// The creation rules of a .sops.yaml as data, read as SOPS 3.13 reads them (config/config.go) or
// refused.
#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rb::age {

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

} // namespace rb::age

// How far a run goes to know that its snapshot is good (spec.verification).
#pragma once

#include "base/result.hpp"

#include <string_view>

namespace rb::api {

enum class Verification {
  snapshot, ///< Digests, structure and read-back: what every run does.
  boot,     ///< Besides, a scratch server is booted from it and its objects are compared.
};

/// "Snapshot", "Boot".
[[nodiscard]] std::string_view to_string(Verification verification);

/// Errors: invalid_argument.
[[nodiscard]] Result<Verification> parse_verification(std::string_view text);

} // namespace rb::api

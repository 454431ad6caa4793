// Which failures of a call to the API server are worth asking again after.
#pragma once

#include "base/error.hpp"

namespace rb::kube {

/// It is away, overloaded, or does not know us for now (a restart, a new certificate, a token that
/// is renewed late). Anything else is its answer, and stays.
[[nodiscard]] constexpr bool is_passing(ErrorCode code) {
  return code == ErrorCode::unavailable || code == ErrorCode::timeout ||
         code == ErrorCode::throttled || code == ErrorCode::unauthenticated;
}

} // namespace rb::kube

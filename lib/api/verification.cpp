#include "api/verification.hpp"

#include <string>

namespace rb::api {

std::string_view to_string(Verification verification) {
  switch (verification) {
  case Verification::snapshot:
    return "Snapshot";
  case Verification::boot:
    return "Boot";
  }
  return "Snapshot";
}

Result<Verification> parse_verification(std::string_view text) {
  for (const Verification verification : {Verification::snapshot, Verification::boot}) {
    if (to_string(verification) == text) {
      return verification;
    }
  }
  return Error{ErrorCode::invalid_argument, "unknown verification: " + std::string(text), {}};
}

} // namespace rb::api

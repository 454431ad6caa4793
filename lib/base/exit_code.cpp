#include "base/exit_code.hpp"

namespace rb {

ExitCode exit_code_for(ErrorCode code) {
  switch (code) {
  case ErrorCode::corrupt:
    return ExitCode::damaged;
  case ErrorCode::no_matching_identity:
    return ExitCode::no_identity;
  case ErrorCode::busy:
    return ExitCode::busy;
  case ErrorCode::unavailable:
  case ErrorCode::throttled:
    return ExitCode::unreachable;
  case ErrorCode::timeout:
    return ExitCode::deadline_passed;
  case ErrorCode::incomplete:
    return ExitCode::incomplete;
  case ErrorCode::invalid_argument:
  case ErrorCode::not_found:
  case ErrorCode::already_exists:
  case ErrorCode::permission_denied:
  case ErrorCode::no_space:
  case ErrorCode::io:
  case ErrorCode::unsupported:
  case ErrorCode::conflict:
  case ErrorCode::gone:
  case ErrorCode::unauthenticated:
  case ErrorCode::cancelled:
  case ErrorCode::internal:
    return ExitCode::failed;
  }
  return ExitCode::failed;
}

} // namespace rb

#include "agent/failure.hpp"

namespace rb::agent {

namespace {

api::Reason storage_reason(ErrorCode code) {
  switch (code) {
  case ErrorCode::no_space:
    return api::Reason::storage_full;
  case ErrorCode::corrupt:
    return api::Reason::verification_failed;
  case ErrorCode::busy:
    return api::Reason::host_busy;
  case ErrorCode::cancelled:
    return api::Reason::interrupted;
  case ErrorCode::timeout:
    return api::Reason::deadline_exceeded;
  case ErrorCode::internal:
    return api::Reason::internal_error;
  case ErrorCode::invalid_argument:
  case ErrorCode::not_found:
  case ErrorCode::already_exists:
  case ErrorCode::permission_denied:
  case ErrorCode::io:
  case ErrorCode::no_matching_identity:
  case ErrorCode::unsupported:
  case ErrorCode::conflict:
  case ErrorCode::gone:
  case ErrorCode::unauthenticated:
  case ErrorCode::throttled:
  case ErrorCode::incomplete:
    return api::Reason::storage_failed;
  case ErrorCode::unavailable:
    return api::Reason::storage_not_mounted;
  }
  return api::Reason::storage_failed;
}

} // namespace

std::string Failure::text() const {
  return hint.empty() ? message : message + "; " + hint;
}

Failure storage_failure(const Error& error) {
  Failure failure{storage_reason(error.code), error.message, error.hint};
  if (failure.reason == api::Reason::storage_full && failure.hint.empty()) {
    failure.hint = "free some space; earlier sets are untouched";
  }
  return failure;
}

Failure failure_as(api::Reason reason, const Error& error) {
  return {reason, error.message, error.hint};
}

} // namespace rb::agent

#include "agent/prover.hpp"

#include <algorithm>

namespace rb::agent {

namespace {

using std::chrono::seconds;

/// For the small artifacts, the manifest and the report.
constexpr seconds k_kept_back{30};
/// A k3s server needs about 12 s to be reset and to get ready.
constexpr seconds k_least_time{20};

api::Reason reason_of(ErrorCode code) {
  switch (code) {
  case ErrorCode::permission_denied:
  case ErrorCode::no_space:
  case ErrorCode::not_found:
  case ErrorCode::unsupported:
    return api::Reason::proof_unavailable;
  case ErrorCode::invalid_argument:
  case ErrorCode::already_exists:
  case ErrorCode::io:
  case ErrorCode::corrupt:
  case ErrorCode::no_matching_identity:
  case ErrorCode::conflict:
  case ErrorCode::gone:
  case ErrorCode::unauthenticated:
  case ErrorCode::throttled:
  case ErrorCode::unavailable:
  case ErrorCode::timeout:
  case ErrorCode::cancelled:
  case ErrorCode::busy:
  case ErrorCode::incomplete:
  case ErrorCode::internal:
    return api::Reason::proof_failed;
  }
  return api::Reason::proof_failed;
}

} // namespace

NotProven not_proven(const Error& error) {
  return {reason_of(error.code), error.message};
}

ProofTimes proof_times(seconds configured, SystemTime now, SystemTime deadline) {
  const seconds usual = 3 * configured; // reset, start, comparison
  if (deadline == SystemTime{}) {
    return {configured, usual};
  }
  const seconds left = deadline - now - k_kept_back;
  if (left < k_least_time) {
    return {};
  }
  const seconds whole = std::min(usual, left);
  return {std::min(configured, whole), whole};
}

} // namespace rb::agent

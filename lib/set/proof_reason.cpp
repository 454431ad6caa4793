#include "set/proof_reason.hpp"

#include <algorithm>
#include <array>

namespace rb::set {

api::Reason reason_not_proven(const Error& error) {
  constexpr std::array k_of_this_host{ErrorCode::permission_denied,
                                      ErrorCode::no_space,
                                      ErrorCode::not_found,
                                      ErrorCode::unsupported};
  const bool tried = error.reason != api::Reason::proof_unavailable &&
                     std::ranges::find(k_of_this_host, error.code) == k_of_this_host.end();
  return tried ? api::Reason::proof_failed : api::Reason::proof_unavailable;
}

} // namespace rb::set

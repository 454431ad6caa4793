// What a scratch server that was not booted says: something of the set, or of the host.
#pragma once

#include "api/reason.hpp"
#include "base/error.hpp"

namespace rb::set {

/// ProofUnavailable where it could not be tried on this host (no memory, no disk, no k3s that fits,
/// not root), which says nothing of the set; else ProofFailed.
[[nodiscard]] api::Reason reason_not_proven(const Error& error);

} // namespace rb::set

// Is there a controller? Told by its Lease, which it renews every two seconds.
#pragma once

#include "cli/io.hpp"

#include "kube/lease.hpp"

#include <optional>
#include <string>

namespace rb::cli {

enum class Presence {
  unknown,  ///< The Lease cannot be read, or is in a namespace that we don't know.
  there,    ///< Some controller holds it and renews it.
  released, ///< The last one ended, and no other came.
  silent,   ///< The last one does not renew it.
};

/// By one look. Nothing: only a second look can tell, since the clocks of two machines may differ.
[[nodiscard]] std::optional<Presence> judge_lease(const Result<kube::LeaseRecord>& seen,
                                                  SystemTime now);
/// By two looks that are longer apart than it takes to renew the Lease.
[[nodiscard]] Presence judge_lease(const kube::LeaseRecord& before,
                                   const Result<kube::LeaseRecord>& after);

/// "no controller leads: ...", or "" where there is one or nobody knows.
[[nodiscard]] std::string describe(Presence presence);

/// Takes up to five seconds where the first look does not tell.
[[nodiscard]] Presence look_for_controller(Api& api, const Io& io);

} // namespace rb::cli

// The condition Replicated of an order that has ended, from what is known of its set. Pure.
#pragma once

#include "offsite/replicator.hpp"

#include "api/backup.hpp"

#include <optional>

namespace rb::agent {

/// True: the set is off-site and was read back there. False: the last attempt failed, and why.
/// Unknown: not tried yet. Nothing: no complete set of that order is on the disk (any more), so the
/// condition stays as it is.
[[nodiscard]] std::optional<api::Condition> replicated_condition(const offsite::View& view,
                                                                 const api::NodeBackup& order);

/// The order's status with that condition, when that changes anything.
[[nodiscard]] std::optional<api::NodeBackupStatus>
with_replicated(const offsite::View& view, const api::NodeBackup& order, SystemTime now);

} // namespace rb::agent

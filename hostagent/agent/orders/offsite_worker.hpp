// Copies complete sets off-site and reports it as the condition Replicated. A process of its own
// does it, beside the agent: no run waits for it, and nothing that happens here changes how a run
// ends.
#pragma once

#include "agent/orders/agent_metrics.hpp"
#include "agent/orders/api_ports.hpp"
#include "agent/orders/options.hpp"
#include "agent/orders/order_board.hpp"
#include "offsite/replicator.hpp"

#include "api/backup.hpp"

#include <optional>
#include <vector>

namespace rb::agent {

/// Until `stop`, which ends a transfer in progress.
void copy_offsite(OffsiteOptions options,
                  const OrderBoard& board,
                  StatusSink& sink,
                  AgentMetrics& metrics,
                  std::stop_token stop);

/// What to look at where the backup directory may not be read, and nothing else says it. Pure.
[[nodiscard]] Error with_pod_hint(Error error);

/// The condition of an order that has ended, from what is known of its set. True: the set is
/// off-site and was read back there. False: the last attempt failed, and why. Unknown: not tried
/// yet, or not worth sending. Nothing: no complete set of that order is on the disk (any more), or
/// retention has removed it over there, so the condition stays as it is. Pure.
[[nodiscard]] std::optional<api::Condition> replicated_condition(const offsite::View& view,
                                                                 const api::NodeBackup& order);

/// While the backup directory cannot be read: of `orders` the newest that succeeded, whose set lies
/// there, with the condition False, and why. Nothing: that is said already, or its set is off-site.
/// Pure.
[[nodiscard]] std::optional<api::NodeBackup>
with_unreadable(std::vector<api::NodeBackup> orders, const Error& why, SystemTime now);

/// The order's status with that condition, when that changes anything. Pure.
[[nodiscard]] std::optional<api::NodeBackupStatus>
with_replicated(const offsite::View& view, const api::NodeBackup& order, SystemTime now);

} // namespace rb::agent

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

namespace rb::agent {

/// Until `stop`, which ends a transfer in progress.
void copy_offsite(OffsiteOptions options,
                  const OrderBoard& board,
                  StatusSink& sink,
                  AgentMetrics& metrics,
                  std::stop_token stop);

/// The condition of an order that has ended, from what is known of its set. True: the set is
/// off-site and was read back there. False: the last attempt failed, and why. Unknown: not tried
/// yet, or not worth sending. Nothing: no complete set of that order is on the disk (any more), or
/// retention has removed it over there, so the condition stays as it is. Pure.
[[nodiscard]] std::optional<api::Condition> replicated_condition(const offsite::View& view,
                                                                 const api::NodeBackup& order);

/// The order's status with that condition, when that changes anything. Pure.
[[nodiscard]] std::optional<api::NodeBackupStatus>
with_replicated(const offsite::View& view, const api::NodeBackup& order, SystemTime now);

} // namespace rb::agent

// The ways in which a run ends, as an ordered list of named checks: the first that finds something
// decides. Pure.
#pragma once

#include "controller/plan.hpp"
#include "controller/summary.hpp"

#include <chrono>
#include <optional>

namespace rb::controller {

/// Everything that a check looks at: a run on one server, or the part of a run that is one
/// server's.
struct RunView {
  const Observed& observed;
  const api::ClusterBackup& backup;
  const api::NodeBackup* order = nullptr;  ///< May be null.
  const RunMemory* memory = nullptr;       ///< Of that order. May be null.
  const api::ServerCopy* server = nullptr; ///< Null: the run is on one server.
};

/// The end of the run, or of that part of it; nullopt: it goes on.
[[nodiscard]] std::optional<Verdict> check_run(const RunView& view);

/// What is seen of the order would end the run or that part of it, but only a watch says it:
/// check_run gives no verdict before the API server itself was asked.
[[nodiscard]] bool wants_order_read(const RunView& view);

/// There is an order, or there was one: it is never made a second time.
[[nodiscard]] bool was_ordered(const RunView& view);

/// The run began before this process knew of it: after a new start of the controller, or because a
/// restored etcd shows a run that ended long ago. What the disk says of it counts, also past its
/// deadline, and the agent gets time to say it.
[[nodiscard]] bool resumed(const RunView& view);

/// No order yet: the agent of a node that serves better may come up, or say so, in time.
[[nodiscard]] bool waits_for_better_agent(const RunView& view);

/// The deadline of the run has passed: an order that is made now only asks what is on the disk.
[[nodiscard]] bool overdue(const RunView& view);

/// When time alone may change what check_run says; at least 1 s.
[[nodiscard]] std::chrono::seconds next_check(const RunView& view);

} // namespace rb::controller

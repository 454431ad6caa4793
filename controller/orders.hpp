// The orders of a run: one for each of its servers. Their names, whose they are, and how one is
// made. Pure.
// Guarantees: the first order of a run is named after the uid of its ClusterBackup, as that of a
// run on one server; the name of each other one depends on the uid and the node alone, so an order
// that was made is found again by whoever goes on; all orders of a run carry the same payload.
#pragma once

#include "controller/plan.hpp"

#include <string>
#include <vector>

namespace rb::controller {

/// The uid of the ClusterBackup that an order is for.
[[nodiscard]] const std::string& owner_of(const api::NodeBackup& order);

/// The name of the order to `node`: the uid, where the run's status names that node, else the uid,
/// a dash and 8 hex digits of the node's name.
[[nodiscard]] std::string order_name(const api::ClusterBackup& backup, const std::string& node);

/// All orders of that ClusterBackup that are there.
[[nodiscard]] std::vector<const api::NodeBackup*> orders_of(const Observed& observed,
                                                            const std::string& uid);

/// The order of that name, or null.
[[nodiscard]] const api::NodeBackup* find_order(const Observed& observed, const std::string& name);

/// The order to `node`. What is known of the Helm values comes from `like`, another order of the
/// run, where there is one, else from `memory`; both may be null. Where the step was begun and
/// nothing of it is known, the order says so.
[[nodiscard]] api::NodeBackup make_order(const Observed& observed,
                                         const api::ClusterBackup& backup,
                                         const std::string& node,
                                         const std::string& name,
                                         const api::NodeBackup* like,
                                         const RunMemory* memory);

} // namespace rb::controller

// The agents that are there, from the pods of the DaemonSet, and which one gets an order.
#pragma once

#include "controller/observed.hpp"

#include <nlohmann/json_fwd.hpp>

namespace rb::controller {

/// The label selector of the agent's pods.
inline constexpr std::string_view k_agent_selector =
    "app.kubernetes.io/name=railiance-backup,app.kubernetes.io/component=agent";

/// A pod that is being deleted is not ready. Errors: corrupt.
[[nodiscard]] Result<Agent> agent_from_pod(const nlohmann::json& pod);

/// The node whose agent gets the order of `backup`: spec.nodeName if given, else the node of the
/// latest run that stored a set (so that sets stay together), else the first by name. nullopt: no
/// agent there is ready.
[[nodiscard]] std::optional<std::string> choose_node(const Observed& observed,
                                                     const api::ClusterBackup& backup);

} // namespace rb::controller

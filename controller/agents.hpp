// The agents that are there, from the pods of the DaemonSet, and which of them get an order.
#pragma once

#include "controller/plan.hpp"

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <vector>

namespace rb::controller {

/// The label selector of the agent's pods.
inline constexpr std::string_view k_agent_selector =
    "app.kubernetes.io/name=railiance-backup,app.kubernetes.io/component=agent";

/// A pod that is being deleted is not ready. Errors: corrupt.
[[nodiscard]] Result<Agent> agent_from_pod(const nlohmann::json& pod);

/// The node whose agent gets the order of `backup`: spec.nodeName if given. Else, of the nodes with
/// a datastore that can be copied (of etcd: whose member votes), the node of the latest run that
/// stored a set (so that sets stay together), or the first by name; then one that nobody knows of,
/// then one with another datastore. One without any only where no agent knows of a datastore: the
/// agent says why. nullopt: no agent is ready there.
[[nodiscard]] std::optional<std::string> choose_node(const Observed& observed,
                                                     const api::ClusterBackup& backup);

/// The servers of a run that goes to several, by name: those that get an order (pending) and those
/// that are left out, with the reason. `first` is what choose_node() gave. Empty: it goes there
/// alone, for that was asked for, there is no embedded etcd, or no other server.
[[nodiscard]] std::vector<api::ServerCopy> choose_servers(const Observed& observed,
                                                          const api::ClusterBackup& backup,
                                                          const std::string& first);

/// The servers with embedded etcd that have an agent, by name, for the manifests. Empty where there
/// is one.
[[nodiscard]] std::vector<api::ServerEntry> known_servers(const Observed& observed);

/// choose_node may have something better in a moment, or choose_servers more: an agent has not come
/// up yet, or has not said yet whether there is a datastore on its node.
[[nodiscard]] bool is_better_to_wait(const Observed& observed, const api::ClusterBackup& backup);

/// The node that `backup` names has no datastore to copy, and others have one.
[[nodiscard]] bool names_wrong_node(const Observed& observed, const api::ClusterBackup& backup);

/// The node that `backup` names has no agent and never had one, while another node's is ready.
[[nodiscard]] bool names_unknown_node(const Observed& observed, const api::ClusterBackup& backup);

/// The nodes with an agent, by name.
[[nodiscard]] std::vector<std::string> nodes_with_agent(const Observed& observed);

/// The nodes with that datastore, by name.
[[nodiscard]] std::vector<std::string> nodes_with(const Observed& observed,
                                                  api::Datastore datastore);

/// Those with a datastore that a copy can be taken of: etcd or SQLite.
[[nodiscard]] std::vector<std::string> nodes_with_database(const Observed& observed);

/// "cp-1, cp-2".
[[nodiscard]] std::string list_of(const std::vector<std::string>& names);

} // namespace rb::controller

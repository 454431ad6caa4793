// What the Node of this host says of its kubelet. The API is one thing, the kubelet another: where
// that does not come up k3s may go on as a server, or end and be started again and again. Private
// to this room.
#pragma once

#include "restore/cluster/execute.hpp"

#include <functional>
#include <string_view>

namespace rb::cluster {

enum class NodeState {
  unknown, ///< There is none, or it says nothing.
  ready,
  silent, ///< It is not ready, or was so before this kubelet came up.
};

/// Of the Node as JSON: ready by a word from after `since` (RFC 3339), for what a snapshot holds
/// was true once.
[[nodiscard]] NodeState node_state_in(std::string_view node, const std::string& since);

/// While `look` says silent, for a minute at most. False: it did not get ready in time, or before
/// `stop`.
[[nodiscard]] bool
await_node(const std::function<NodeState()>& look, Ports& ports, const Limits& limits);

/// Of a restore: where the Node of this host does not get ready, that is said, with k3s's own last
/// words. No reason to go back: the cluster is there.
void tell_of_restored_node(const JournalState& state, Ports& ports, const Limits& limits);

} // namespace rb::cluster

// What a rejoin does besides the steps of a restore, and what its way back needs first. Each can be
// done again after a crash in the middle of it. Private to this room.
#pragma once

#include "restore/cluster/execute.hpp"

namespace rb::cluster {

/// The server token of the set, and the agent token where it has one; nothing else of it.
[[nodiscard]] Status do_put_token(const JournalState& state, Ports& ports);

/// db/etcd gets another name, and what all servers of a cluster share goes, so that k3s takes it
/// from the restored one; snapshots and all else stay. Errors besides: busy (a server process is
/// left).
[[nodiscard]] Status do_set_aside(const JournalState& state, Ports& ports);

/// The drop-in that names the server to join.
[[nodiscard]] Status do_name_server(const JournalState& state, Ports& ports);

/// Until etcd lists this host among those that vote. Errors: timeout, cancelled, io (k3s has
/// ended), with k3s's own words.
[[nodiscard]] Status
do_join(const Plan& plan, Ports& ports, const Limits& limits, Outcome& outcome);

/// Until this server serves at least the revision that the restored one serves at the beginning.
/// Where this host has a Node that does not get Ready, that is said. Errors: timeout, those of
/// ask_revision().
[[nodiscard]] Status do_agree(const JournalState& state, Ports& ports, const Limits& limits);

/// Of a rejoin: before this host goes back, it is no voting member any more. Otherwise the cluster
/// would count on a vote that never comes: of two members neither could do anything. Does nothing
/// where this host does not vote, and for a restore. Errors: busy (k3s does not run, so that nobody
/// can take the member out; or there is no other one), unsupported (it has no Node, by which k3s
/// takes members out), unavailable, timeout.
[[nodiscard]] Status leave_cluster(const JournalState& state, Ports& ports, const Limits& limits);

} // namespace rb::cluster

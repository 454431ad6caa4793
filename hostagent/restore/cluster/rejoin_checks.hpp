// The checks of a rejoin, one function a question. Private to this room.
#pragma once

#include "restore/cluster/checks.hpp"
#include "restore/cluster/rejoin.hpp"

namespace rb::cluster {

/// k3s is stopped here, and somebody can start it.
[[nodiscard]] Check check_stopped(const RejoinFacts& facts);

/// This host has not become a cluster of its own by a restore.
[[nodiscard]] Check check_not_restored(const RejoinFacts& facts);

/// The server that answers is of the set's cluster, as its authority and its kube-system say.
[[nodiscard]] Check check_identity(const SetFacts& set, const ServerAnswer& server);

/// It does not have this host among its members.
[[nodiscard]] Check check_membership(const RejoinFacts& facts, const ServerAnswer& server);

/// The token of the set is put back: there is none here, or it is another one of the same cluster,
/// from after a rotation, or with the hash of another authority.
[[nodiscard]] bool takes_token(const RejoinFacts& facts);

/// The token with which this host would join is the set's, or can be.
[[nodiscard]] Check check_token(const RejoinFacts& facts);

/// What must be the same on all servers of a cluster is as in the set; else k3s does not join.
[[nodiscard]] Check check_shared_settings(const ServerSettings& here, const ServerSettings& there);

/// As Kubernetes allows it between servers: the release of the restored one, or one minor newer.
[[nodiscard]] Check check_release(const ObservedHost& host, const ServerAnswer& server);

/// What the command line of the unit says to join, which no configuration file can change; without
/// a slash at the end. Empty: nothing.
[[nodiscard]] std::string url_of_unit(const ServerSettings& settings);

/// That URL, where it leads to the cluster of `server`, as a registration address does; else empty.
[[nodiscard]] std::string unit_leads_to(const RejoinFacts& facts, const ServerAnswer& server);

/// Of the configuration of this host: it can join, and joins that server.
[[nodiscard]] std::vector<Check> check_joining(const RejoinFacts& facts,
                                               const ServerAnswer& server);

} // namespace rb::cluster

// Whether the etcd member of this server votes: only then has the server the cluster's state of
// now, and can a snapshot be taken of it. Asked of the server itself: k3s lists its members to
// callers on its own host, without a password, and answers with an error where etcd has no leader,
// or is a learner.
#pragma once

#include "agent/host/settings.hpp"

#include "api/servers.hpp"

#include <stop_token>
#include <string>
#include <string_view>

namespace rb::agent {

/// What an answer to GET /db/info says of the member `name` (the file db/etcd/name of the server).
/// Pure. unknown: the server is not up yet, has no etcd, or says something else.
[[nodiscard]] api::Member member_in(int http_status, std::string_view body, std::string_view name);

/// Asks the server of this host, whose certificate its own CA must vouch for. Takes a few seconds
/// at most. unknown: it cannot be asked.
[[nodiscard]] api::Member ask_member(const Settings& settings, const std::stop_token& stop);

} // namespace rb::agent

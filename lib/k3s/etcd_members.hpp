// The members of etcd, as k3s lists them at /db/info, and which of them this host is.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rb::k3s {

/// A member of etcd as it is now.
struct EtcdMember {
  std::uint64_t id = 0;
  std::string name;     ///< "server-1-1a2b3c4d"; empty: it was added, and has not started yet.
  std::string peer_url; ///< The first one, "https://192.0.2.11:2380"; may be empty.
  bool learner = false; ///< It does not vote yet.
};

/// What /db/info says: {"members":[{"ID":…,"name":…,"peerURLs":[…],"isLearner":…}]} (k3s, pkg/etcd,
/// infoHandler). At most 64. Errors: corrupt.
[[nodiscard]] Result<std::vector<EtcdMember>> parse_members(std::string_view json);

/// "server-1-1a2b3c4d" -> "server-1": k3s adds eight digits to the name of the node. For people,
/// and never more than a name: other characters are replaced.
[[nodiscard]] std::string node_of_member(std::string_view name);

/// The name that this host's member has in etcd, as k3s keeps it in db/etcd/name; empty: there is
/// none.
[[nodiscard]] std::string member_name_in(const std::string& data_dir);

[[nodiscard]] std::size_t voting(const std::vector<EtcdMember>& members);
/// Null: none has that name; also for an empty one.
[[nodiscard]] const EtcdMember* member_named(const std::vector<EtcdMember>& members,
                                             std::string_view name);
/// Both know all members of the other: two servers of one cluster.
[[nodiscard]] bool same_members(const std::vector<EtcdMember>& some,
                                const std::vector<EtcdMember>& others);

} // namespace rb::k3s

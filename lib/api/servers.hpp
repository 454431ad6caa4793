// The servers of a cluster that has several: who they are, as an order tells the agent and a
// manifest whoever restores; whether the etcd member of one votes; and what a run gave on each.
// A list of servers that is read holds at most k_servers_limit entries, each of them usable: what
// is odd is passed over and counted, and makes nothing around it unreadable.
#pragma once

#include "api/reason.hpp"
#include "base/clock.hpp"
#include "base/json_fields.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rb::api {

/// As in crds/ (maxItems).
inline constexpr std::size_t k_servers_limit = 64;

/// A server of the cluster with a datastore of its own.
struct ServerEntry {
  std::string node_name;
  std::string address;    ///< Node IP; empty: not known.
  std::string public_key; ///< Of the host's signatures, "RW…"; empty: not known.

  bool operator==(const ServerEntry&) const = default;
};

struct ServerList {
  std::vector<ServerEntry> servers;
  std::size_t odd = 0; ///< Entries that were passed over.
};

/// Takes any JSON.
[[nodiscard]] ServerList servers_from_json(const nlohmann::json& json);

/// The field `servers` of an order or a manifest; left out where there are none. Adds to `odd` what
/// was passed over.
void servers_field(JsonFields& json, std::vector<ServerEntry>& servers, std::size_t& odd);

/// What the etcd member of a server is, as that server says it. `unknown`: nobody said, or there is
/// no embedded etcd.
enum class Member { unknown, voting, learner, no_quorum };

/// "Voting", "Learner", "NoQuorum"; empty for unknown.
[[nodiscard]] std::span<const Word<Member>> words_of(Member);

/// Where a run goes (spec.servers).
enum class Servers {
  all, ///< Every ready server with a voting etcd member.
  one,
};

/// "All", "One".
[[nodiscard]] std::span<const Word<Servers>> words_of(Servers);

/// Where the part of a run is that belongs to one server.
enum class CopyState {
  pending,    ///< Chosen; its order has not been seen yet.
  running,    ///< Its order is out.
  succeeded,  ///< A whole set.
  incomplete, ///< A set in which something is missing.
  failed,
  left_out, ///< Not chosen, and not waited for.
};

/// "Pending", "Running", "Succeeded", "Incomplete", "Failed", "LeftOut".
[[nodiscard]] std::span<const Word<CopyState>> words_of(CopyState);

/// An entry of ClusterBackup.status.servers.
struct ServerCopy {
  std::string node_name;
  CopyState result = CopyState::pending;
  std::string reason;  ///< A word of Reason when we wrote it.
  std::string message; ///< For people.
  std::uint64_t size_bytes = 0;
  std::int64_t revision = 0;
  std::optional<SystemTime> completion_time;

  /// It is known what came of it.
  [[nodiscard]] bool ended() const {
    return result == CopyState::succeeded || result == CopyState::incomplete ||
           result == CopyState::failed;
  }
  bool operator==(const ServerCopy&) const = default;
};

void fields(JsonFields& json, ServerCopy& copy);

/// How many of `copies` are whole.
[[nodiscard]] std::size_t whole_copies(const std::vector<ServerCopy>& copies);

/// "2/3"; empty where there are none.
[[nodiscard]] std::string copies_text(const std::vector<ServerCopy>& copies);

} // namespace rb::api

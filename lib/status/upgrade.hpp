// May an upgrade of k3s begin? Whether there is a set that leads back, by what the agents say of
// their disks. Pure: no I/O, no clock.
#pragma once

#include "k3s/versions.hpp"
#include "status/current.hpp"

#include "base/words.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace rb::status {

/// What must have been shown of the newest complete set. Every complete set was read back and
/// compared when it was written.
enum class Proof {
  verified, ///< Nothing more.
  proven,   ///< Either of the two below.
  drill,    ///< A drill passed, with the private key: of this set, or within the age that is given.
  boot,     ///< A server was booted, from this set when it was made, or by such a drill.
};

/// "verified", "proven", "drill", "boot".
[[nodiscard]] std::span<const Word<Proof>> words_of(Proof);

struct GuardRules {
  std::string target; ///< The k3s that is to be installed, "v1.35.1+k3s1".
  std::chrono::seconds max_age{std::chrono::hours(24)};
  Proof required = Proof::proven;
  bool one_server = false; ///< The set of one server will do, where there are several.
};

/// Scripts match on the words; ascending in how grave they are.
enum class GuardReason {
  ready,
  no_datastore,           ///< No server has a datastore of which copies are made here.
  not_proven,             ///< What is required was not shown of the newest complete set.
  stale,                  ///< It is older than allowed.
  incomplete,             ///< One of several servers has no complete set.
  never_ran,              ///< There is no complete set.
  proof_failed,           ///< What was tried with the newest complete set went wrong.
  damaged,                ///< A set of that server is damaged.
  untrusted,              ///< There are sets that the host did not make.
  downgrade,              ///< The target cannot start the data that are there now.
  clock_anomaly,          ///< Ages mean nothing.
  facts_stale,            ///< The agent is silent: nobody knows what its disk holds.
  agent_unavailable,      ///< No agent has reported yet.
  controller_unavailable, ///< Nobody has looked lately (said by readers).
};

/// "Ready", "NoDatastore", "NeverRan", …
[[nodiscard]] std::span<const Word<GuardReason>> words_of(GuardReason);

/// ready 0, downgrade 1, no_datastore, not_proven and incomplete 3, never_ran 4, proof_failed,
/// damaged and untrusted 6, stale 9; 8 for all that nobody knows.
[[nodiscard]] ExitCode exit_code_for(GuardReason reason);

/// Of one server.
struct GuardedNode {
  std::string name;
  GuardReason reason = GuardReason::ready;
  std::string message;
  std::string run_id;      ///< Of its newest complete set; empty: there is none.
  std::string k3s_version; ///< Of the server that it was made of; may be empty.
  bool counts = true;      ///< Not silent for more than a day, as one that left the cluster is.
};

struct GuardVerdict {
  GuardReason reason = GuardReason::agent_unavailable;
  std::string message;
  std::vector<GuardedNode> nodes; ///< Those with a datastore.
  /// What a downgrade would need. Absent: no complete set is of an older k3s than the target.
  std::optional<k3s::WayBackVerdict> way_back;
  std::string set_to_keep; ///< "20261122T020000Z on server-1", which leads back.
  std::string set_version; ///< With which k3s it does; empty: that was not recorded.
};

/// The servers of which a backup that is made now may make the verdict `ready`; none where it would
/// not, or where it is so already.
[[nodiscard]] std::vector<std::string> nodes_to_back_up(const GuardVerdict& verdict,
                                                        const GuardRules& rules);

[[nodiscard]] GuardVerdict
judge_guard(const std::vector<NodeSeen>& nodes, const GuardRules& rules, SystemTime now);

} // namespace rb::status

// What to do with an order that the API shows us. Pure.
#pragma once

#include "api/backup.hpp"
#include "base/clock.hpp"

#include <string>

namespace rb::agent {

enum class OrderAction {
  ignore, ///< Not ours, ended, on its way out, or in our hands already.
  run,    ///< New, or accepted by this process, which did not hear that it was: accept it (again)
          ///< and carry it out.
  wait,   ///< Another agent has just taken it: it may live, and be about to lock the directory.
  settle, ///< Taken before this process began: report what the disk says of it.
  expire, ///< New, but its deadline has passed, and nothing of it is on the disk.
};

/// What this process knows besides the object.
struct OrderContext {
  std::string node_name;
  bool in_our_hands = false; ///< This process accepted the order.
  bool set_on_disk = false;  ///< There is a manifest of its run already (a restored etcd shows runs
                             ///< that ended long ago).
  SystemTime now{};
  std::string instance_id;      ///< Of this process.
  bool acceptance_open = false; ///< This process sent an acceptance of it and does not know what
                                ///< became of that; it has done nothing for the order yet.
  std::string agent_id;         ///< Of the pod of this process.
  std::chrono::steady_clock::duration
      unchanged_for{}; ///< Since this process first saw this version.
};

/// Between accepting an order and holding the directory's lock nothing tells a living agent from a
/// dead one. That takes it milliseconds.
inline constexpr std::chrono::seconds k_other_agent_grace{5};

/// A pod's container may restart under the same agent id, and a restored etcd shows a run that this
/// process ended long ago, so an accepted order is only begun when it bears the mark of this
/// process and this process remembers an acceptance without an answer.
[[nodiscard]] OrderAction decide(const api::NodeBackup& order, const OrderContext& context);

/// A write that failed so may have been carried out all the same: the connection broke, time ran
/// out, a 5xx after the write, an answer that cannot be read. A 4xx is a refusal; only a conflict
/// may be one with ourselves: the HTTP library sends a request again when a connection that it had
/// used before is closed, and then we hear what became of the second.
[[nodiscard]] bool may_have_arrived(const Error& error);

} // namespace rb::agent

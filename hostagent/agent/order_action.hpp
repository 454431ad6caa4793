// What to do with an order that the API shows us. Pure.
#pragma once

#include "api/node_backup.hpp"
#include "base/clock.hpp"

#include <string>

namespace rb::agent {

enum class OrderAction {
  ignore, ///< Not ours, ended, on its way out, or in our hands already.
  run,    ///< New: accept it and carry it out.
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
};

/// A pod's container may restart under the same agent id, so an accepted order is only ours when
/// this process remembers it.
[[nodiscard]] OrderAction decide(const api::NodeBackup& order, const OrderContext& context);

} // namespace rb::agent

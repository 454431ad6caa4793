#include "agent/order_action.hpp"

namespace rb::agent {

OrderAction decide(const api::NodeBackup& order, const OrderContext& context) {
  if (order.spec.node_name != context.node_name || order.finished() ||
      order.meta.deletion_timestamp || context.in_our_hands) {
    return OrderAction::ignore;
  }
  if (order.accepted() || context.set_on_disk) {
    return OrderAction::settle;
  }
  return context.now >= order.spec.deadline ? OrderAction::expire : OrderAction::run;
}

} // namespace rb::agent

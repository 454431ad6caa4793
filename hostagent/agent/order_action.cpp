#include "agent/order_action.hpp"

namespace rb::agent {

OrderAction decide(const api::NodeBackup& order, const OrderContext& context) {
  if (order.spec.node_name != context.node_name || order.finished() ||
      order.meta.deletion_timestamp || context.in_our_hands) {
    return OrderAction::ignore;
  }
  const bool ours = context.acceptance_open && !context.instance_id.empty() &&
                    order.status.instance_id == context.instance_id;
  if ((order.accepted() && !ours) || context.set_on_disk) {
    const bool others = order.accepted() && order.status.agent_id != context.agent_id;
    return others && context.unchanged_for < k_other_agent_grace ? OrderAction::wait
                                                                 : OrderAction::settle;
  }
  return context.now >= order.spec.deadline ? OrderAction::expire : OrderAction::run;
}

bool may_have_arrived(const Error& error) {
  const bool refused = error.http_status >= 400 && error.http_status < 500;
  return !refused || error.code == ErrorCode::conflict;
}

} // namespace rb::agent

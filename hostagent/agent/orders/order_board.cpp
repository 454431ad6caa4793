#include "agent/orders/order_board.hpp"

#include "terminal/log.hpp"

#include <tuple>

namespace rb::agent {

kube::WatchOptions watch_of_orders() {
  // A watch is continued once before all is listed anew.
  kube::WatchOptions options;
  options.server_timeout_least = std::chrono::seconds(20);
  options.server_timeout_most = std::chrono::seconds(25);
  return options;
}

void OrderBoard::on_upsert(nlohmann::json object) {
  auto order = api::node_backup_from_json(object);
  if (!order) {
    log::warn("an order that cannot be read", order.error());
    return;
  }
  if (order->spec.node_name != m_node_name) {
    return;
  }
  const std::lock_guard lock(m_mutex);
  Entry& entry = m_orders[order->meta.uid];
  if (entry.closed && entry.order.finished() && !order->finished()) {
    // etcd was restored to a moment before our report: it has to be told again.
    entry.closed = false;
  }
  entry.order = std::move(*order);
  if (entry.order.meta.deletion_timestamp && entry.order.meta.uid == m_running_uid && m_running) {
    m_running->stop(StopCause::order_deleted);
  }
  m_changed.notify_all();
}

void OrderBoard::on_delete(const kube::ObjectId& id) {
  const std::lock_guard lock(m_mutex);
  m_orders.erase(id.uid);
  if (m_running && m_running_uid == id.uid) {
    m_running->stop(StopCause::order_deleted);
  }
  m_changed.notify_all();
}

void OrderBoard::on_synced() {
  const std::lock_guard lock(m_mutex);
  m_synced = true;
  for (auto& [uid, entry] : m_orders) {
    if (uid != m_running_uid && !entry.order.finished()) {
      // What is listed is as it is: our report was lost with what came after a restored snapshot.
      // Where it is only on its way, a claim of this version is refused.
      entry.closed = false;
    }
  }
  m_changed.notify_all();
}

void OrderBoard::on_trouble(const Error& error) {
  log::warn("watch of the orders", error);
}

std::optional<api::NodeBackup> OrderBoard::oldest_locked() const {
  const api::NodeBackup* oldest = nullptr;
  const auto key = [](const api::NodeBackup& order) {
    return std::tie(order.meta.creation_timestamp, order.meta.name);
  };
  for (const auto& [uid, entry] : m_orders) {
    const api::NodeBackup& order = entry.order;
    const bool waits =
        !entry.closed && !order.finished() && !order.meta.deletion_timestamp &&
        (entry.aside_version.empty() || entry.aside_version != order.meta.resource_version);
    if (waits && (oldest == nullptr || key(order) < key(*oldest))) {
      oldest = &order;
    }
  }
  return oldest == nullptr ? std::nullopt : std::optional(*oldest);
}

std::optional<api::NodeBackup> OrderBoard::next(std::chrono::milliseconds patience,
                                                std::stop_token stop) {
  std::unique_lock lock(m_mutex);
  // Not before the first full list: the oldest order goes first.
  m_changed.wait_for(lock, stop, patience, [this] { return m_synced && oldest_locked(); });
  return m_synced && !stop.stop_requested() ? oldest_locked() : std::nullopt;
}

void OrderBoard::set_aside(const api::NodeBackup& order) {
  const std::lock_guard lock(m_mutex);
  const auto it = m_orders.find(order.meta.uid);
  if (it != m_orders.end()) {
    it->second.aside_version = order.meta.resource_version;
  }
}

void OrderBoard::close(const std::string& uid) {
  const std::lock_guard lock(m_mutex);
  const auto it = m_orders.find(uid);
  if (it != m_orders.end()) {
    it->second.closed = true;
  }
}

void OrderBoard::begin_run(const std::string& uid, std::shared_ptr<RunControl> control) {
  const std::lock_guard lock(m_mutex);
  m_running_uid = uid;
  m_running = std::move(control);
  if (!m_orders.contains(uid)) {
    m_running->stop(StopCause::order_deleted);
  }
}

void OrderBoard::end_run() {
  const std::lock_guard lock(m_mutex);
  m_running_uid.clear();
  m_running.reset();
}

bool OrderBoard::exists(const std::string& uid) const {
  const std::lock_guard lock(m_mutex);
  return m_orders.contains(uid);
}

std::vector<api::NodeBackup> OrderBoard::finished() const {
  const std::lock_guard lock(m_mutex);
  std::vector<api::NodeBackup> orders;
  for (const auto& [uid, entry] : m_orders) {
    if (entry.order.finished() && !entry.order.meta.deletion_timestamp) {
      orders.push_back(entry.order);
    }
  }
  return orders;
}

OrderAction decide(const api::NodeBackup& order, const OrderContext& context) {
  if (order.spec.node_name != context.node_name || order.finished() ||
      order.meta.deletion_timestamp) {
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

// The four watches of the controller and what each tells the store.
#include "controller/agents.hpp"
#include "controller/store.hpp"
#include "terminal/log.hpp"

#include "kube/resource.hpp"

namespace rb::controller {

namespace {

class Handler : public kube::WatchHandler {
public:
  Handler(Store& store, const char* what) : m_store(store), m_what(what) {}
  void on_synced() override { spdlog::debug("{}: listed", m_what); }
  void on_trouble(const Error& error) override { log::warn(m_what, error); }

protected:
  Store& m_store;

private:
  const char* m_what;
};

class BackupHandler final : public Handler {
public:
  using Handler::Handler;
  void on_upsert(nlohmann::json object) override { m_store.upsert_backup(object); }
  void on_delete(const kube::ObjectId& id) override { m_store.remove_backup(id.uid); }
};

class OrderHandler final : public Handler {
public:
  using Handler::Handler;
  void on_upsert(nlohmann::json object) override { m_store.upsert_order(object); }
  void on_delete(const kube::ObjectId& id) override { m_store.remove_order(id.name); }
};

class AgentHandler final : public Handler {
public:
  using Handler::Handler;
  void on_upsert(nlohmann::json object) override { m_store.upsert_agent(object); }
  void on_delete(const kube::ObjectId& id) override { m_store.remove_agent(id.name); }
};

class BackupStatusHandler final : public Handler {
public:
  using Handler::Handler;
  void on_upsert(nlohmann::json object) override { m_store.upsert_backup_status(object); }
  void on_delete(const kube::ObjectId& id) override {
    if (id.name == api::k_backup_status_name) {
      m_store.remove_backup_status();
    }
  }
};

kube::WatchOptions agent_options(const std::string& name_space) {
  kube::WatchOptions options;
  options.name_space = name_space;
  options.label_selector = k_agent_selector;
  return options;
}

} // namespace

struct StoreFeed::Handlers {
  explicit Handlers(Store& store)
      : backups(store, "watch of clusterbackups"), orders(store, "watch of nodebackups"),
        agents(store, "watch of agent pods"), backup_status(store, "watch of backupstatuses") {}
  BackupHandler backups;
  OrderHandler orders;
  AgentHandler agents;
  BackupStatusHandler backup_status;
};

StoreFeed::StoreFeed(Store& store, kube::Client& client, const std::string& name_space)
    : m_handlers(std::make_unique<Handlers>(store)),
      m_backups(client, kube::k_cluster_backups, {}, m_handlers->backups),
      m_orders(client, kube::k_node_backups, {}, m_handlers->orders),
      m_agents(client, kube::k_pods, agent_options(name_space), m_handlers->agents),
      m_backup_status(client, kube::k_backup_statuses, {}, m_handlers->backup_status) {}

StoreFeed::~StoreFeed() = default;

bool StoreFeed::synced() const {
  return m_backups.synced() && m_orders.synced() && m_agents.synced();
}

bool StoreFeed::current() const {
  return m_backups.current() && m_orders.current() && m_agents.current();
}

bool StoreFeed::backup_status_synced() const {
  return synced() && m_backup_status.synced();
}

} // namespace rb::controller

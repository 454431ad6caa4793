#include "scripted_agent.hpp"

#include <doctest/doctest.h>

namespace rb::test {

using api::ConditionStatus;
using api::Reason;
namespace type = api::condition_type;

namespace {

void put(api::NodeBackupStatus& status, std::string_view condition, bool value, Reason reason) {
  api::set_condition(status.conditions,
                     {std::string(condition),
                      value ? ConditionStatus::true_ : ConditionStatus::false_,
                      std::string(api::to_string(reason)),
                      "",
                      {},
                      1},
                     time_here());
}

} // namespace

ScriptedAgent::ScriptedAgent(Cluster& cluster, const std::string& node, Script script)
    : m_cluster(cluster), m_node(node), m_script(script) {
  make_pod();
  m_thread = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

ScriptedAgent::~ScriptedAgent() {
  m_thread.request_stop();
  m_thread.join();
  (void)m_cluster.client().remove({kube::k_pods, m_cluster.name_space(), "agent-" + m_node, {}});
}

void ScriptedAgent::make_pod() {
  const std::string name = "agent-" + m_node;
  nlohmann::json pod{{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata",
                      {{"name", name},
                       {"labels",
                        {{"app.kubernetes.io/name", "railiance-backup"},
                         {"app.kubernetes.io/component", "agent"}}}}},
                     {"spec",
                      {{"nodeName", m_node},
                       {"terminationGracePeriodSeconds", 0},
                       {"automountServiceAccountToken", false},
                       {"containers", {{{"name", "agent"}, {"image", "none"}}}}}}};
  const auto make = [&] {
    return m_cluster.client().create(kube::k_pods, m_cluster.name_space(), pod).has_value();
  };
  REQUIRE(Cluster::eventually(make)); // the namespace's service account comes a little later
  const nlohmann::json ready{
      {"status",
       {{"phase", "Running"}, {"conditions", {{{"type", "Ready"}, {"status", "True"}}}}}}};
  REQUIRE(m_cluster.client().patch(
      {kube::k_pods, m_cluster.name_space(), name, "status"}, kube::PatchType::merge, ready));
}

void ScriptedAgent::set_script(Script script) {
  const std::lock_guard lock(m_mutex);
  m_script = script;
}

std::map<std::string, Bytes> ScriptedAgent::payloads() const {
  const std::lock_guard lock(m_mutex);
  return m_payloads;
}

std::vector<std::string> ScriptedAgent::taken() const {
  const std::lock_guard lock(m_mutex);
  return m_taken;
}

void ScriptedAgent::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Script script = [&] {
      const std::lock_guard lock(m_mutex);
      return m_script;
    }();
    for (api::NodeBackup& order : m_cluster.orders()) {
      if (order.spec.node_name != m_node || order.finished() || script == Script::ignore) {
        continue;
      }
      if (!order.accepted()) {
        take(order);
      } else if (script == Script::finish) {
        finish(order);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void ScriptedAgent::write_status(const api::NodeBackup& order) {
  nlohmann::json object = to_json(order);
  object["metadata"]["resourceVersion"] = order.meta.resource_version;
  object["status"] = to_json(order.status);
  // A conflict or a withdrawn order: the next round sees.
  (void)m_cluster.client().replace({kube::k_node_backups, "", order.meta.name, "status"}, object);
}

void ScriptedAgent::take(api::NodeBackup order) {
  order.status.agent_id = "pod-uid-" + m_node;
  order.status.start_time = order.status.heartbeat_time = time_here();
  order.status.progress = api::Progress{"TakingSnapshot", 0, 0};
  put(order.status, type::k_succeeded, false, Reason::running);
  order.status.conditions.back().status = ConditionStatus::unknown;
  write_status(order);
  const std::lock_guard lock(m_mutex);
  m_taken.push_back(order.spec.cluster_backup_name);
}

Bytes ScriptedAgent::read_payload(const api::NodeBackup& order) {
  Bytes joined;
  for (const std::string& name : order.spec.helm_payload->config_maps) {
    const auto object =
        m_cluster.client().get({kube::k_config_maps, m_cluster.name_space(), name, {}});
    if (!object) {
      return {};
    }
    const auto piece =
        from_base64(object->at("binaryData").at("payload").get<std::string>()).value();
    joined.insert(joined.end(), piece.begin(), piece.end());
  }
  return joined;
}

void ScriptedAgent::finish(api::NodeBackup order) {
  if (order.spec.helm_payload) {
    Bytes joined = read_payload(order);
    const std::lock_guard lock(m_mutex);
    m_payloads[order.spec.run_id] = std::move(joined);
  }
  for (const api::ArtifactType artifact : order.spec.artifacts) {
    if (artifact != api::ArtifactType::helm_values || order.spec.helm_payload) {
      order.status.artifacts.push_back(
          {artifact, api::file_name(artifact, order.spec.run_id), 1000, std::string(64, 'b')});
    }
  }
  const bool whole = order.spec.missing.empty();
  order.status.etcd = api::EtcdStatus{1234, 56};
  order.status.completion_time = time_here();
  for (const std::string_view step :
       {type::k_snapshot_taken, type::k_artifacts_stored, type::k_verified, type::k_pruned}) {
    put(order.status, step, true, Reason::completed);
  }
  put(order.status, type::k_succeeded, whole, whole ? Reason::completed : Reason::incomplete);
  write_status(order);
}

} // namespace rb::test

#include "bed_cluster.hpp"

#include "age/identity.hpp"
#include "base/process.hpp"
#include "kube/resource.hpp"
#include "kube/transport.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <thread>

namespace rb::test {

namespace {

constexpr const char* k_data_dir = "/var/lib/rancher/k3s";
constexpr const char* k_snapshots = "/var/lib/rancher/k3s/server/db/snapshots";
constexpr const char* k_fault = "/var/lib/rancher/k3s/standin-fault";

std::string required(const char* name) {
  const auto value = kube::process_environment(name);
  if (!value || value->empty()) {
    std::fprintf(stderr, "%s is not set: run this test inside a bed (tests/k3s/bed.sh)\n", name);
    std::exit(1);
  }
  return *value;
}

ProcessResult run(const std::string& program, std::vector<std::string> arguments) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = std::move(arguments);
  spec.environment = {{"PATH", "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
                      {"HOME", "/root"},
                      {"KUBECONFIG", required("RB_TEST_KUBECONFIG")}};
  RealProcessRunner processes;
  auto result = processes.run(spec, {});
  REQUIRE(result);
  return std::move(*result);
}

/// `node-name:` of the server's configuration.
std::string node_name() {
  std::ifstream file("/etc/rancher/k3s/config.yaml");
  const std::string key = "node-name: ";
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) {
      return line.substr(key.size());
    }
  }
  FAIL("the server's configuration has no node-name");
  return {};
}

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  return names;
}

} // namespace

BedCluster::BedCluster() : m_kubeconfig(required("RB_TEST_KUBECONFIG")), m_node_name(node_name()) {
  kube::initialize_http_threads();
  m_connection = kube::Connection::make(kube::load_kubeconfig(m_kubeconfig).value()).value();
  play("");
  REQUIRE(
      run("/usr/local/bin/k3s", {"kubectl", "apply", "-f", RB_SOURCE_DIR "/crds"}).exit_status ==
      0);
  REQUIRE(run("/usr/local/bin/k3s",
              {"kubectl",
               "wait",
               "--for=condition=Established",
               "--timeout=30s",
               "crd/nodebackups.backup.railiance.io",
               "crd/backupstatuses.backup.railiance.io"})
              .exit_status == 0);
  REQUIRE(run("/usr/local/bin/k3s", {"kubectl", "delete", "nodebackups", "--all"}).exit_status ==
          0);
  REQUIRE(run("/usr/local/bin/k3s", {"kubectl", "delete", "backupstatuses", "--all"}).exit_status ==
          0);
  const auto identity = age::Identity::generate().value();
  m_scratch.write("sops.yaml", "creation_rules:\n  - age: " + identity.recipient().text() + "\n");
  m_next_run = RealClock().now();
}

BedCluster::~BedCluster() {
  std::filesystem::remove(k_fault);
}

std::unique_ptr<AgentProcess> BedCluster::start_agent(const std::string& agent_id,
                                                      const std::vector<std::string>& more) {
  std::vector<std::string> arguments{"--node-name",
                                     m_node_name,
                                     "--agent-id",
                                     agent_id,
                                     "--backup-dir",
                                     m_scratch.path("backups"),
                                     "--key-dir",
                                     m_scratch.path("keys"),
                                     "--sops-config",
                                     m_scratch.path("sops.yaml"),
                                     "--kube-kubeconfig",
                                     m_kubeconfig,
                                     "--data-dir",
                                     k_data_dir,
                                     "--metrics-listen",
                                     "127.0.0.1:0",
                                     "--log-format",
                                     "text"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return std::make_unique<AgentProcess>(std::move(arguments), m_scratch.path("agent.log"));
}

BedCluster::Order BedCluster::make_order(nlohmann::json spec) {
  const std::string run_id = format_run_id(m_next_run);
  m_next_run += std::chrono::seconds(1);
  std::string name = "order-" + run_id;
  for (char& c : name) {
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  spec.emplace("runID", run_id);
  return post_order(name, std::move(spec));
}

BedCluster::Order BedCluster::make_again(const Order& order) {
  return post_order(order.name, {{"runID", order.run_id}});
}

BedCluster::Order BedCluster::post_order(const std::string& name, nlohmann::json spec) {
  nlohmann::json object{
      {"apiVersion", api::k_api_version},
      {"kind", api::k_node_backup_kind},
      {"metadata", {{"name", name}}},
      {"spec",
       {{"clusterBackupName", "test"},
        {"nodeName", m_node_name},
        {"artifacts", {"EtcdSnapshot", "Kubeconfig", "HostState"}},
        {"keepLast", 7},
        {"deadline", format_rfc3339(RealClock().now() + std::chrono::hours(1))}}}};
  object["spec"].update(spec);
  const auto made = m_connection->client().create(kube::k_node_backups, {}, object);
  CAPTURE((made ? "" : made.error().message));
  REQUIRE(made);
  return {name, object["spec"]["runID"].get<std::string>()};
}

void BedCluster::remove_order(const std::string& name) {
  REQUIRE(m_connection->client().remove({kube::k_node_backups, {}, name, {}}));
}

api::NodeBackup BedCluster::order(const std::string& name) {
  const auto object = m_connection->client().get({kube::k_node_backups, {}, name, {}});
  return object ? api::node_backup_from_json(*object).value() : api::NodeBackup{};
}

std::optional<api::NodeFacts> BedCluster::facts() {
  const auto object = m_connection->client().get({kube::k_backup_statuses, {}, "cluster", {}});
  if (!object) {
    static_cast<void>(m_connection->client().create(
        kube::k_backup_statuses, {}, api::new_backup_status())); // as the controller does
    return std::nullopt;
  }
  const api::BackupStatus backup_status = api::backup_status_from_json(*object).value();
  for (const api::NodeFacts& facts : backup_status.status.nodes) {
    if (facts.node_name == m_node_name) {
      return facts;
    }
  }
  return std::nullopt;
}

api::NodeBackup BedCluster::finished(const std::string& name, std::chrono::seconds limit) {
  api::NodeBackup seen;
  const bool ended = eventually(
      [&] {
        seen = order(name);
        return seen.finished();
      },
      limit);
  CAPTURE(m_scratch.read("agent.log"));
  REQUIRE(ended);
  return seen;
}

void BedCluster::wait_for_step(const std::string& name, const std::string& step) {
  const bool there = eventually(
      [&] {
        const auto seen = order(name);
        return seen.accepted() && seen.status.progress && seen.status.progress->step == step;
      },
      std::chrono::seconds(30));
  CAPTURE(m_scratch.read("agent.log"));
  REQUIRE(there);
}

bool BedCluster::plays_faults() {
  if (run("/usr/local/bin/k3s", {"--version"}).out.find("+standin") != std::string::npos) {
    return true;
  }
  std::printf("NOT RUN: %s: not run here: needs the stand-in\n",
              doctest::getContextOptions()->currentTest->m_name);
  return false;
}

void BedCluster::play(const std::string& text) {
  if (text.empty()) {
    std::filesystem::remove(k_fault);
  } else {
    std::ofstream(k_fault) << text;
  }
}

void BedCluster::control_server(const std::string& word) {
  // "/usr/local/bin/bedctl restart": the same program kills and starts.
  const std::string restart = required("RB_TEST_API_RESTART");
  REQUIRE(run(restart.substr(0, restart.find(' ')), {word}).exit_status == 0);
}

std::vector<std::string> BedCluster::files() const {
  return names_in(m_scratch.path("backups"));
}

std::vector<std::string> BedCluster::plain_snapshots() const {
  auto names = names_in(k_snapshots);
  std::erase_if(names, [](const std::string& name) { return !name.starts_with("railiance-"); });
  return names;
}

std::map<std::string, std::string> BedCluster::kept() const {
  std::map<std::string, std::string> contents;
  for (const std::string& name : files()) {
    const bool lasting =
        name == "backup.log" || name == "railiance-backup.pub" || name == ".disk-id";
    if (!lasting && !name.starts_with(".unfinished-")) {
      contents[name] = m_scratch.read("backups/" + name);
    }
  }
  return contents;
}

bool BedCluster::eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  return condition();
}

std::string reason_of(const api::NodeBackup& order) {
  const auto* condition = api::find_condition(order.status.conditions, "Succeeded");
  return condition == nullptr ? "" : condition->reason;
}

std::string message_of(const api::NodeBackup& order) {
  const auto* condition = api::find_condition(order.status.conditions, "Succeeded");
  return condition == nullptr ? "" : condition->message;
}

} // namespace rb::test

#include "cluster.hpp"

#include "yaml_json.hpp"

#include "kube/resource.hpp"
#include "kube/transport.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace rb::test {

namespace {

constexpr kube::ResourceType k_crds{
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", false, false};
constexpr const char* k_release_label = "owner=helm";
// The private half stands in test_runs.cpp; the pair was made for this test.
constexpr const char* k_sops_yaml =
    "creation_rules:\n  - age: age1yc62fkeuv6nudpzqazkygfva05qtmdya854deenk5e55usw3yenqkdnlp6\n";

template <typename T> T must(Result<T> result) {
  if (!result) {
    FAIL(result.error().message);
  }
  return *std::move(result);
}

} // namespace

std::string kubeconfig() {
  const char* path = std::getenv("RB_TEST_KUBECONFIG");
  if (path == nullptr) {
    FAIL("RB_TEST_KUBECONFIG is not set: this test needs a real API server");
  }
  return path;
}

Cluster::Cluster() : m_kubeconfig(kubeconfig()) {
  kube::initialize_http_threads(4);
  m_connection = must(kube::Connection::make(must(kube::load_kubeconfig(m_kubeconfig))));
  for (const char* file : {"clusterbackups", "nodebackups", "backupstatuses"}) {
    install_crd(std::string(RB_SOURCE_DIR "/crds/backup.railiance.io_") + file + ".yaml");
  }
  (void)client().create(
      kube::k_namespaces,
      "",
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", m_name_space}}}});
  remove_all(kube::k_cluster_backups, "", "");
  remove_all(kube::k_node_backups, "", "");
  remove_all(kube::k_backup_statuses, "", "");
  remove_all(kube::k_pods, m_name_space, "");
  remove_all(kube::k_config_maps, m_name_space, "backup.railiance.io/run-uid");
  remove_all(kube::k_secrets, "", k_release_label);
  std::ofstream(sops_yaml()) << k_sops_yaml;
}

void Cluster::install_crd(const std::string& file) {
  const nlohmann::json crd = json_from_yaml_file(file);
  const std::string name = crd.at("metadata").at("name");
  const auto made = client().patch({k_crds, "", name, {}}, kube::PatchType::apply, crd, {}, "test");
  if (!made) {
    FAIL(made.error().message);
  }
  const auto established = [&] {
    const auto now = client().get({k_crds, "", name, {}});
    return now && now->dump().find("\"Established\"") != std::string::npos &&
           client().list_all(name.starts_with("cluster") ? kube::k_cluster_backups
                             : name.starts_with("node")  ? kube::k_node_backups
                                                         : kube::k_backup_statuses,
                             "");
  };
  REQUIRE(eventually(established));
}

void Cluster::remove_all(const kube::ResourceType& type,
                         const std::string& name_space,
                         const std::string& labels) {
  kube::ListOptions options;
  options.label_selector = labels;
  const auto left = [&] { return must(client().list_all(type, name_space, options)); };
  for (const auto& item : left()) {
    const auto& meta = item.at("metadata");
    (void)client().remove({type, meta.value("namespace", ""), meta.at("name"), {}});
  }
  REQUIRE(eventually([&] { return left().empty(); }));
}

Result<nlohmann::json> Cluster::create_backup(const std::string& name, nlohmann::json spec) {
  return client().create(kube::k_cluster_backups,
                         "",
                         {{"apiVersion", api::k_api_version},
                          {"kind", api::k_cluster_backup_kind},
                          {"metadata", {{"name", name}}},
                          {"spec", std::move(spec)}});
}

api::ClusterBackup Cluster::backup(const std::string& name) {
  return must(
      api::cluster_backup_from_json(must(client().get({kube::k_cluster_backups, "", name, {}}))));
}

std::vector<api::NodeBackup> Cluster::orders() {
  std::vector<api::NodeBackup> orders;
  for (const auto& item : must(client().list_all(kube::k_node_backups, ""))) {
    orders.push_back(must(api::node_backup_from_json(item)));
  }
  return orders;
}

std::size_t Cluster::payload_count() {
  kube::ListOptions options;
  options.label_selector = "backup.railiance.io/run-uid";
  return must(client().list_all(kube::k_config_maps, m_name_space, options)).size();
}

void Cluster::make_release(const std::string& name, int revision, const std::string& record) {
  const nlohmann::json release{{"name", name},
                               {"namespace", m_name_space},
                               {"version", revision},
                               {"info", {{"status", "deployed"}}},
                               {"chart", {{"metadata", {{"name", "c"}, {"version", "1.0.0"}}}}},
                               {"config", {{"answer", revision}}}};
  const std::string stored =
      record.empty() ? to_base64(as_bytes(release.dump())) : record; // old records have no gzip
  const std::string object = "sh.helm.release.v1." + name + ".v" + std::to_string(revision);
  must(client().create(kube::k_secrets,
                       m_name_space,
                       {{"apiVersion", "v1"},
                        {"kind", "Secret"},
                        {"type", "helm.sh/release.v1"},
                        {"metadata",
                         {{"name", object},
                          {"labels",
                           {{"owner", "helm"},
                            {"name", name},
                            {"status", "deployed"},
                            {"version", std::to_string(revision)}}}}},
                        {"data", {{"release", to_base64(as_bytes(stored))}}}}));
}

api::ClusterBackup Cluster::wait_finished(const std::string& name, std::chrono::seconds limit) {
  CAPTURE(name);
  REQUIRE(eventually([&] { return backup(name).finished(); }, limit));
  return backup(name);
}

bool Cluster::eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (std::chrono::steady_clock::now() < end) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return condition();
}

} // namespace rb::test

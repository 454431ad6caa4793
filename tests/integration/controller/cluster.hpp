// The cluster of the test: CRDs from crds/, a namespace of its own, nothing left of earlier tests.
#pragma once

#include "support/scratch.hpp"

#include "api/backup.hpp"
#include "base/clock.hpp"
#include "kube/connection.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace rb::test {

/// The time of this machine, which is that of the cluster.
[[nodiscard]] inline SystemTime time_here() {
  return RealClock().now();
}

/// The path of the kubeconfig; fails the test without one.
[[nodiscard]] std::string kubeconfig();

class Cluster {
public:
  /// Removes all ClusterBackups, NodeBackups, Helm releases and payloads that are there.
  Cluster();

  [[nodiscard]] kube::Client& client() { return m_connection->client(); }
  [[nodiscard]] const std::string& name_space() const { return m_name_space; }
  [[nodiscard]] const std::string& kubeconfig_path() const { return m_kubeconfig; }
  /// A directory that goes with the cluster object; holds .sops.yaml and the identity.
  [[nodiscard]] const std::string& directory() const { return m_directory.path(); }
  [[nodiscard]] std::string sops_yaml() const { return m_directory.path(".sops.yaml"); }

  /// Errors: as the API server says.
  Result<nlohmann::json> create_backup(const std::string& name, nlohmann::json spec);
  [[nodiscard]] api::ClusterBackup backup(const std::string& name);
  [[nodiscard]] std::vector<api::NodeBackup> orders();
  [[nodiscard]] std::size_t payload_count();

  /// A release as Helm stores it; `record` replaces the whole content where it is not empty.
  void make_release(const std::string& name, int revision, const std::string& record = {});

  /// Waits until the run has ended; fails the test after `limit`.
  api::ClusterBackup wait_finished(const std::string& name,
                                   std::chrono::seconds limit = std::chrono::seconds(60));
  static bool eventually(const std::function<bool()>& condition,
                         std::chrono::seconds limit = std::chrono::seconds(30));

  /// An empty namespace means all.
  void remove_all(const kube::ResourceType& type,
                  const std::string& name_space,
                  const std::string& labels);

private:
  void install_crd(const std::string& file);

  std::string m_kubeconfig;
  std::string m_name_space = "railiance-backup-test";
  Scratch m_directory;
  std::unique_ptr<kube::Connection> m_connection;
};

} // namespace rb::test

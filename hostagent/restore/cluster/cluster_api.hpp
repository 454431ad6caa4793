// The two sides of the comparison after a restore: what the snapshot holds, and the API of the
// server that was restored from it.
#pragma once

#include "k3s/command.hpp"
#include "objects/contents.hpp"
#include "objects/local_api.hpp"

#include <memory>
#include <string>

namespace rb::cluster {

class ClusterApi {
public:
  ClusterApi() = default;
  virtual ~ClusterApi() = default;
  ClusterApi(const ClusterApi&) = delete;
  ClusterApi& operator=(const ClusterApi&) = delete;
  ClusterApi(ClusterApi&&) = delete;
  ClusterApi& operator=(ClusterApi&&) = delete;

  /// Errors: those of read_contents_of().
  [[nodiscard]] virtual Result<objects::Contents> contents(const std::string& snapshot_path) = 0;
  /// Open until the value goes. `directory` can be entered by root alone. Errors: those of
  /// start_proxy().
  [[nodiscard]] virtual Result<std::unique_ptr<objects::ApiPort>>
  connect(const k3s::Kubectl& kubectl, const std::string& directory) = 0;
};

class ProxiedClusterApi final : public ClusterApi {
public:
  [[nodiscard]] Result<objects::Contents> contents(const std::string& snapshot_path) override;
  [[nodiscard]] Result<std::unique_ptr<objects::ApiPort>>
  connect(const k3s::Kubectl& kubectl, const std::string& directory) override;

private:
  RealWaiter m_waiter;
};

} // namespace rb::cluster

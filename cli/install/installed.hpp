// An installation as the cluster has it: whose it is, which objects belong to it, and how they go
// again. The note that k3s keeps of what it has applied is an Addon.
#pragma once

#include "base/clock.hpp"
#include "base/result.hpp"
#include "kube/client.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace rb::install {

inline constexpr kube::ResourceType k_deployments{"apps", "v1", "deployments", true, false};
inline constexpr kube::ResourceType k_daemon_sets{"apps", "v1", "daemonsets", true, false};

enum class Installer {
  nobody,
  helm,
  kubectl, ///< Applied by hand or by another tool; k3s takes its objects over.
  k3s,     ///< From a manifest on a server, as `install` does it.
};

struct Installed {
  Installer by = Installer::nobody;
  std::string release; ///< Of Helm.
};

/// Errors: those of kube::Client.
[[nodiscard]] Result<Installed> who_installed(kube::Client& client, const std::stop_token& stop);

/// Recipients, agent, controller and schedule as the cluster has them; without those that are not
/// there. Errors: those of kube::Client.
[[nodiscard]] Result<std::vector<nlohmann::json>> workloads_of(kube::Client& client,
                                                               const std::stop_token& stop);

/// Where the objects of the manifests are, in a cluster. Errors: unsupported (a kind that no
/// manifest of ours has).
[[nodiscard]] Result<kube::ObjectRef> ref_of(const nlohmann::json& object);

/// k3s's note. Null: it has none, and has applied nothing. Errors: those of kube::Client.
[[nodiscard]] Result<nlohmann::json> addon_of(kube::Client& client, const std::stop_token& stop);

/// The SHA-256 of the manifest file, in hexadecimal, that k3s applied last; empty: none.
[[nodiscard]] std::string applied_checksum(const nlohmann::json& addon);

/// Null where there is none. Errors: those of kube::Client::get but not_found.
[[nodiscard]] Result<nlohmann::json>
get_if_there(kube::Client& client, const kube::ObjectRef& ref, const std::stop_token& stop);

/// Whether one of `objects` is missing although k3s believes that it has applied `checksum`:
/// somebody removed it, and k3s would not look. Then its note is dropped.
[[nodiscard]] Result<bool> forget_if_incomplete(kube::Client& client,
                                                const std::vector<nlohmann::json>& objects,
                                                std::string_view checksum,
                                                const std::stop_token& stop);

/// The names of the cluster's servers but `own`: each applies the manifests that lie on it, when
/// its k3s starts at the latest. Errors: those of kube::Client.
[[nodiscard]] Result<std::vector<std::string>>
other_servers(kube::Client& client, const std::string& own, const std::stop_token& stop);

struct Removal {
  std::size_t removed = 0;
  std::vector<std::string> kept_secrets; ///< The operator's, for which the namespace stays.
};

/// Removes the objects but the CRDs, the last first, and k3s's note of them. A namespace with
/// Secrets that are not ours stays. What is not there is no error. Errors: those of kube::Client.
[[nodiscard]] Result<Removal> remove_objects(kube::Client& client,
                                             const std::vector<nlohmann::json>& objects,
                                             const std::stop_token& stop);

/// Until the namespace is gone. Errors: timeout, cancelled, those of kube::Client.
[[nodiscard]] Status wait_until_gone(kube::Client& client,
                                     std::chrono::seconds timeout,
                                     const Clock& clock,
                                     Waiter& waiter,
                                     const std::stop_token& stop);

} // namespace rb::install

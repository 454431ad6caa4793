// What the agent writes to the API server and asks of it: the ports of the worker and of a run.
#pragma once

#include "agent/host/kit.hpp"
#include "agent/run/helm_payload.hpp"

#include "api/backup.hpp"
#include "base/port.hpp"
#include "kube/client.hpp"

#include <stop_token>
#include <string>

namespace rb::agent {

/// Writes the status of an order. A port, so that tests need no API.
class StatusSink : public Port {
public:
  /// `resource_version`, when not empty, must be the object's current one (else conflict).
  /// Errors: not_found (the order is gone), conflict, those of the API.
  [[nodiscard]] virtual Status write(const std::string& order_name,
                                     const api::NodeBackupStatus& status,
                                     const std::string& resource_version,
                                     std::stop_token stop) = 0;
};

/// Merge patches of /status. What the status does not hold any more (progress) is set to null.
class ApiStatusSink final : public StatusSink {
public:
  /// `client` outlives it.
  explicit ApiStatusSink(kube::Client& client) : m_client(client) {}
  [[nodiscard]] Status write(const std::string& order_name,
                             const api::NodeBackupStatus& status,
                             const std::string& resource_version,
                             std::stop_token stop) override;

private:
  kube::Client& m_client;
};

/// Pieces in ConfigMaps of our own namespace, binaryData key "payload". `client` outlives it.
[[nodiscard]] FetchPiece pieces_in_config_maps(kube::Client& client, std::string name_space);

/// The image of the pod `pod`, as the API server knows it; empty where `pod` is. `client` outlives
/// it.
[[nodiscard]] AskImage image_of_pod(kube::Client& client, std::string name_space, std::string pod);

} // namespace rb::agent

// Writes the status of an order to the API.
#pragma once

#include "api/backup.hpp"
#include "kube/client.hpp"

#include <stop_token>
#include <string>

namespace rb::agent {

/// A port, so that tests need no API.
class StatusSink {
public:
  StatusSink() = default;
  virtual ~StatusSink() = default;
  StatusSink(const StatusSink&) = delete;
  StatusSink& operator=(const StatusSink&) = delete;
  StatusSink(StatusSink&&) = delete;
  StatusSink& operator=(StatusSink&&) = delete;

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

} // namespace rb::agent

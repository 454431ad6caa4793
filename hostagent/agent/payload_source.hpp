// The encrypted Helm artifact on its way from the controller: pieces in ConfigMaps.
#pragma once

#include "agent/snapshot_step.hpp"

#include "api/backup.hpp"
#include "base/bytes.hpp"

#include <stop_token>

namespace rb::kube {
class Client;
}

namespace rb::agent {

/// Where the pieces come from; a port.
class PayloadSource {
public:
  PayloadSource() = default;
  virtual ~PayloadSource() = default;
  PayloadSource(const PayloadSource&) = delete;
  PayloadSource& operator=(const PayloadSource&) = delete;
  PayloadSource(PayloadSource&&) = delete;
  PayloadSource& operator=(PayloadSource&&) = delete;

  /// The bytes of one piece. Errors: those of the API, corrupt.
  [[nodiscard]] virtual Result<Bytes> piece(const std::string& config_map,
                                            std::stop_token stop) = 0;
};

/// ConfigMaps of our own namespace, binaryData key "payload".
class ConfigMapPayloads final : public PayloadSource {
public:
  /// `client` outlives it.
  ConfigMapPayloads(kube::Client& client, std::string name_space)
      : m_client(client), m_name_space(std::move(name_space)) {}
  [[nodiscard]] Result<Bytes> piece(const std::string& config_map, std::stop_token stop) override;

private:
  kube::Client& m_client;
  std::string m_name_space;
};

/// Joins the pieces in order. While the API server is away or does not know us (a restart, a new
/// certificate, a token that is renewed), a piece is asked for again for half a minute. Errors:
/// corrupt (size or digest is not what the order says, or it is not an age file), unsupported
/// (larger than api::k_payload_limit_bytes), those of `source`.
[[nodiscard]] Result<Bytes> fetch_payload(PayloadSource& source,
                                          const api::HelmPayload& payload,
                                          const Wait& wait,
                                          const std::stop_token& stop);

} // namespace rb::agent

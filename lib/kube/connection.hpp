// A Client with everything under it, made from a ClientConfig: what a program's main wants.
#pragma once

#include "kube/client.hpp"
#include "kube/client_config.hpp"

#include <memory>

namespace rb::kube {

/// Owns the transports and the client. The client may be shared between threads.
class Connection {
public:
  /// No request is made. Errors: of make_cpprest_transport.
  [[nodiscard]] static Result<std::unique_ptr<Connection>>
  make(ClientConfig config, Runtime runtime = {}, ClientOptions options = {});

  [[nodiscard]] Client& client() { return *m_client; }
  [[nodiscard]] const std::string& server() const { return m_server; }
  [[nodiscard]] const std::string& name_space() const { return m_name_space; }

private:
  Connection() = default;

  std::string m_server;
  std::string m_name_space;
  std::unique_ptr<Transport> m_http;
  std::unique_ptr<Transport> m_authorizing;
  std::unique_ptr<Client> m_client;
};

} // namespace rb::kube

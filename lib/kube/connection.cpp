#include "kube/connection.hpp"

#include "kube/authorizing_transport.hpp"
#include "kube/transport_cpprest.hpp"

namespace rb::kube {

Result<std::unique_ptr<Connection>>
Connection::make(ClientConfig config, Runtime runtime, ClientOptions options) {
  std::unique_ptr<Connection> made(new Connection);
  made->m_server = config.server;
  made->m_name_space = config.name_space;
  FileOrBytes token = std::move(config.token);
  RB_TRY_ASSIGN(made->m_http, make_cpprest_transport(std::move(config)));
  made->m_authorizing =
      std::make_unique<AuthorizingTransport>(*made->m_http, *runtime.clock, std::move(token));
  made->m_client =
      std::make_unique<Client>(*made->m_authorizing, std::move(runtime), std::move(options));
  return made;
}

} // namespace rb::kube

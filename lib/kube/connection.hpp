// A Client with everything under it, made from a ClientConfig: what a program's main wants.
#pragma once

#include "base/clock.hpp"
#include "base/secret_bytes.hpp"
#include "kube/client.hpp"
#include "kube/client_config.hpp"
#include "kube/transport.hpp"

#include <memory>
#include <mutex>

namespace rb::kube {

/// Puts the bearer token on each request and keeps it fresh: a token file is read again at most
/// every minute, and at once when the server answers 401. Safe to share. `inner`, `clock` outlive
/// it.
class AuthorizingTransport final : public Transport {
public:
  AuthorizingTransport(Transport& inner, const Clock& clock, FileOrBytes token);

  /// Errors besides the inner transport's: unauthenticated (the token file cannot be read).
  [[nodiscard]] Result<Response> send(const Request& request, std::stop_token stop) override;
  [[nodiscard]] Result<StreamEnd>
  stream(const Request& request, const ByteSink& sink, std::stop_token stop) override;

private:
  using Token = std::shared_ptr<const SecretBytes>;

  /// The cached token, read anew when it is old or is `rejected`.
  Result<Token> token(const Token& rejected);
  Result<Token> read_token();
  /// `call` with the token on it, and once more with the next token if the server refuses that.
  template <typename Answer, typename Call> Result<Answer> with_token(const Request&, Call call);

  Transport& m_inner;
  const Clock& m_clock;
  const FileOrBytes m_source;
  std::mutex m_mutex;
  Token m_cached;
  std::chrono::steady_clock::time_point m_read_at{};
};

/// Owns the transports and the client. The client may be shared between threads.
class Connection {
public:
  /// No request is made. Errors: of make_cpprest_transport.
  [[nodiscard]] static Result<std::unique_ptr<Connection>>
  make(ClientConfig config, Runtime runtime = {}, ClientOptions options = {});

  [[nodiscard]] Client& client() { return *m_client; }
  [[nodiscard]] const std::string& server() const { return m_server; }

private:
  Connection() = default;

  std::string m_server;
  std::unique_ptr<Transport> m_http;
  std::unique_ptr<Transport> m_authorizing;
  std::unique_ptr<Client> m_client;
};

} // namespace rb::kube

// Puts the bearer token on each request and keeps it fresh: a token file is read again at most
// every minute, and at once when the server answers 401.
#pragma once

#include "base/clock.hpp"
#include "base/secret_bytes.hpp"
#include "kube/client_config.hpp"
#include "kube/transport.hpp"

#include <memory>
#include <mutex>

namespace rb::kube {

/// Safe to share. `inner`, `clock` outlive it.
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

  Transport& m_inner;
  const Clock& m_clock;
  const FileOrBytes m_source;
  std::mutex m_mutex;
  Token m_cached;
  std::chrono::steady_clock::time_point m_read_at{};
};

} // namespace rb::kube

#include "kube/connection.hpp"

#include "base/fd.hpp"
#include "base/text.hpp"
#include "kube/transport.hpp"

#include <algorithm>

namespace rb::kube {

namespace {

constexpr std::size_t k_token_limit_bytes = std::size_t{64} * 1024;
constexpr std::chrono::seconds k_reread_after{60};
constexpr int k_unauthorized = 401;

bool is_header_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

} // namespace

AuthorizingTransport::AuthorizingTransport(Transport& inner, const Clock& clock, FileOrBytes token)
    : m_inner(inner), m_clock(clock), m_source(std::move(token)) {}

Result<AuthorizingTransport::Token> AuthorizingTransport::read_token() {
  SecretBytes content;
  if (m_source.path.empty()) {
    content = SecretBytes(m_source.bytes.view());
  } else {
    auto read = read_secret_file(m_source.path, k_token_limit_bytes);
    if (!read) {
      Error error = std::move(read).error().within("bearer token");
      error.code = ErrorCode::unauthenticated;
      return error;
    }
    content = std::move(read).value();
  }
  const std::string_view text = trimmed(content.text());
  if (text.empty() || !is_header_text(text)) {
    return Error{ErrorCode::unauthenticated,
                 (m_source.path.empty() ? std::string("bearer token") : m_source.path) +
                     ": not a token",
                 {}};
  }
  return Token(std::make_shared<const SecretBytes>(as_bytes(text)));
}

Result<AuthorizingTransport::Token> AuthorizingTransport::token(const Token& rejected) {
  if (!m_source.given()) {
    return Token();
  }
  const std::lock_guard lock(m_mutex);
  const auto now = m_clock.steady_now();
  const bool refused = rejected != nullptr && m_cached == rejected;
  if (m_cached != nullptr && !refused && now - m_read_at < k_reread_after) {
    return m_cached;
  }
  auto read = read_token();
  if (!read) {
    if (m_cached != nullptr && !refused) {
      return m_cached; // the old one may still be good; the server says so if not
    }
    return std::move(read).error();
  }
  m_cached = std::move(read).value();
  m_read_at = now;
  return m_cached;
}

template <typename Answer, typename Call>
Result<Answer> AuthorizingTransport::with_token(const Request& request, Call call) {
  Request copy = request;
  RB_TRY_ASSIGN(const Token first, token(nullptr));
  copy.bearer_token = first ? first->text() : std::string_view();
  Result<Answer> answer = call(copy);
  if (!answer || answer->status != k_unauthorized || !first) {
    return answer;
  }
  const auto second = token(first);
  if (!second || (*second)->text() == first->text()) {
    return answer; // nothing new to show
  }
  copy.bearer_token = (*second)->text();
  return call(copy);
}

Result<Response> AuthorizingTransport::send(const Request& request, std::stop_token stop) {
  return with_token<Response>(request,
                              [&](const Request& sent) { return m_inner.send(sent, stop); });
}

Result<StreamEnd>
AuthorizingTransport::stream(const Request& request, const ByteSink& sink, std::stop_token stop) {
  return with_token<StreamEnd>(
      request, [&](const Request& sent) { return m_inner.stream(sent, sink, stop); });
}

Result<std::unique_ptr<Connection>>
Connection::make(ClientConfig config, Runtime runtime, ClientOptions options) {
  std::unique_ptr<Connection> made(new Connection);
  made->m_server = config.server;
  FileOrBytes token = std::move(config.token);
  RB_TRY_ASSIGN(made->m_http, make_cpprest_transport(std::move(config)));
  made->m_authorizing =
      std::make_unique<AuthorizingTransport>(*made->m_http, *runtime.clock, std::move(token));
  made->m_client =
      std::make_unique<Client>(*made->m_authorizing, std::move(runtime), std::move(options));
  return made;
}

} // namespace rb::kube

// The only file that uses cpprestsdk 2.10. Its habits that matter here, each met below:
//   - a read of n bytes waits for all n: bodies are read with bumpc() and in_avail();
//   - there is no backpressure: the progress handler ends a response that outruns its reader;
//   - its timeout is an idle timer, after which it may send a request again: deadlines are our own
//     and cancel the request's token;
//   - redirects carry the token to other hosts: they are off;
//   - the reason of a TLS failure is lost: TlsSetup keeps it;
//   - it hands an IPv6 address to the resolver with its brackets, which finds nothing: it gets one
//     without them, and a Host header of ours that has them;
//   - it takes the Host header, port and all, for the name that a certificate must have: TlsSetup
//     checks the name;
//   - it sets no option of a socket, and lets nobody do it between opening and connecting: that is
//     done when OpenSSL begins its handshake, within the library's own lock;
//   - a task whose exception nobody looks at ends the program: each task is get() here, and none is
//     continued.
#include "kube/exchange.hpp"
#include "kube/transport.hpp"

#include <cpprest/http_client.h>

#include <netdb.h>
#include <pplx/threadpool.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>

namespace rb::kube {

namespace {

namespace http = web::http;

constexpr std::size_t k_piece_bytes = std::size_t{64} * 1024;
constexpr std::size_t k_error_body_limit_bytes = std::size_t{64} * 1024;
constexpr std::chrono::hours k_library_timeout{6}; ///< Beyond any deadline of ours.

/// What to tell the operator is made of this.
struct FailedExchange {
  const Request& request;
  const ServerUrl& url;
  Ending ending = Ending::none;       ///< Why we ended it, if we did.
  std::chrono::milliseconds patience; ///< How long we waited at most.
  std::string_view said;              ///< The library's words: where it failed.
  std::string tls_reason;             ///< Why we did not like the server's certificate, or "".
  std::string_view verified_name;     ///< The name that the certificate must have.
  std::string ca_name;                ///< Of TlsSetup.
};

std::string subject(const FailedExchange& failed) {
  return std::string(to_string(failed.request.method)) + " " + failed.request.path;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// The library's error codes say little; its words tell where it failed.
Error connection_error(const FailedExchange& failed) {
  const std::string url = failed.url.text();
  Error error{ErrorCode::unavailable, {}, {}};
  if (failed.said.starts_with("Error resolving") || failed.said.starts_with("Failed to resolve")) {
    error.system_errno = ECONNREFUSED;
    error.message = url + ": cannot resolve " + failed.url.host;
    error.hint = "check the server's name and the DNS";
  } else if (failed.said.starts_with("Failed to connect")) {
    error.system_errno = ECONNREFUSED;
    error.message = url + ": cannot connect (refused or unreachable)";
    error.hint = "is the API server running, and is this its address?";
  } else if (!failed.tls_reason.empty() || contains(failed.said, "SSL handshake")) {
    error.system_errno = EPROTO;
    error.message =
        url + ": TLS: " + (failed.tls_reason.empty() ? "the handshake failed" : failed.tls_reason);
    error.hint = "expected is a server called \"" + std::string(failed.verified_name) +
                 "\" with a certificate from " + failed.ca_name;
  } else {
    error.message = subject(failed) + ": connection to " + url + " lost before the answer's end";
  }
  return error;
}

Error error_of(const FailedExchange& failed) {
  switch (failed.ending) {
  case Ending::stopped:
  case Ending::enough:
    return {ErrorCode::cancelled, subject(failed) + ": stopped", {}};
  case Ending::deadline:
    return {ErrorCode::timeout,
            subject(failed) + ": nothing from " + failed.url.text() + " for " +
                std::to_string(failed.patience.count()) + " ms",
            {}};
  case Ending::too_large:
    return {ErrorCode::unsupported,
            subject(failed) + ": the answer is larger, or comes faster, than our limit of " +
                std::to_string(failed.request.body_limit_bytes) + " bytes allows",
            {}};
  case Ending::not_chunked:
    return {ErrorCode::unsupported,
            subject(failed) + ": the answer is neither chunked nor has it a length",
            "is there an old proxy in front of the API server?"};
  case Ending::none:
    return connection_error(failed);
  }
  return connection_error(failed);
}

/// An exchange whose end cancels the library's token.
struct CancellableExchange {
  pplx::cancellation_token_source cancel;
  Exchange exchange;

  CancellableExchange(DeadlineTimer& timer, const Request& request, const std::stop_token& stop)
      : exchange(timer, request.timeout, request.body_limit_bytes, stop, [source = cancel] {
          source.cancel();
        }) {}
};

/// Leaves the ordinary way out of an exchange that we ended: the reason is in the Exchange.
struct Ended : std::exception {};

[[noreturn]] void leave(Exchange& exchange, Ending why) {
  exchange.end(why);
  throw Ended();
}

std::chrono::seconds retry_after(const http::http_response& response) {
  std::string text;
  unsigned seconds = 0;
  if (response.headers().match("Retry-After", text)) {
    std::from_chars(text.data(), text.data() + text.size(), seconds);
  }
  return std::chrono::seconds(std::min(seconds, 86'400U));
}

/// Hands the body to `take` as it comes, until its end or until `take` returns false. Throws what
/// the library throws when the body is cut short.
template <typename Take>
void read_body(const http::http_response& response, Exchange& exchange, Take take) {
  auto buffer = response.body().streambuf();
  std::array<std::uint8_t, k_piece_bytes> piece{};
  while (true) {
    const auto first = buffer.bumpc().get(); // the only read that waits
    if (first == decltype(buffer)::traits::eof()) {
      response.content_ready().get(); // throws when the connection was lost
      return;
    }
    piece[0] = static_cast<std::uint8_t>(first);
    const std::size_t more = std::min(buffer.in_avail(), piece.size() - 1);
    const std::size_t size = 1 + (more == 0 ? 0 : buffer.getn(piece.data() + 1, more).get());
    exchange.flow()->taken_bytes += size;
    if (exchange.ending() != Ending::none) {
      throw Ended(); // what the library still holds is of no use
    }
    if (!take(as_text({piece.data(), size}))) {
      return;
    }
  }
}

void append(std::string& body, std::string_view piece, std::size_t limit, Exchange& exchange) {
  if (body.size() + piece.size() > limit) {
    leave(exchange, Ending::too_large);
  }
  body.append(piece);
}

/// The library looks for addresses of such families alone as the host's network has
/// (AI_ADDRCONFIG), and loopback counts for none: where that is IPv6, 127.0.0.1 is found as
/// ::ffff:127.0.0.1 only.
std::string library_host(const std::string& host) {
  if (!is_ipv4_address(host)) {
    return host;
  }
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &wanted, &found) != 0) {
    return "::ffff:" + host;
  }
  ::freeaddrinfo(found);
  return host;
}

/// As the library takes it apart: what follows the last colon is the port.
std::string library_address(const ServerUrl& url, const std::string& host) {
  return (url.tls ? "https://" : "http://") + host + ":" + std::to_string(url.port) + url.prefix;
}

const http::method& library_method(Method method) {
  switch (method) {
  case Method::get:
    return http::methods::GET;
  case Method::post:
    return http::methods::POST;
  case Method::put:
    return http::methods::PUT;
  case Method::patch:
    return http::methods::PATCH;
  case Method::remove:
    return http::methods::DEL;
  }
  return http::methods::GET;
}

http::http_request message_of(const Request& request) {
  http::http_request message(library_method(request.method));
  web::uri_builder uri(request.path);
  for (const auto& [name, value] : request.query) {
    uri.append_query(name, value);
  }
  message.set_request_uri(uri.to_uri());
  auto& headers = message.headers();
  headers.add("Accept", request.accept);
  if (!request.user_agent.empty()) {
    headers.add("User-Agent", request.user_agent);
  }
  if (!request.bearer_token.empty()) {
    headers.add("Authorization", "Bearer " + std::string(request.bearer_token));
  }
  if (!request.content_type.empty()) {
    message.set_body(request.body, request.content_type);
  }
  return message;
}

namespace asio = boost::asio;

/// Under which the SSL object of a connection knows its socket.
int socket_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

/// Of a connection that may not be open yet. One without TLS goes to this host.
void know_socket(http::client::native_handle handle) {
  auto* stream = static_cast<asio::ssl::stream<asio::ip::tcp::socket&>*>(handle);
  SSL_set_ex_data(stream->native_handle(), socket_index(), &stream->next_layer());
}

void on_tls(const SSL* ssl, int where, int /*value*/) {
  if ((where & SSL_CB_HANDSHAKE_START) == 0) {
    return;
  }
  if (auto* socket = static_cast<asio::ip::tcp::socket*>(SSL_get_ex_data(ssl, socket_index()))) {
    keep_alive(socket->native_handle());
  }
}

class CpprestTransport final : public Transport {
public:
  CpprestTransport(ServerUrl url, ClientConfig config)
      : m_url(std::move(url)), m_server_name(std::move(config.tls_server_name)),
        m_tls(std::make_shared<TlsSetup>(std::move(config.ca),
                                         std::move(config.client_certificate),
                                         std::move(config.client_key),
                                         verified_name())),
        m_library_host(library_host(m_url.host)),
        m_client(library_address(m_url, m_library_host), client_config()),
        m_stream_client(library_address(m_url, m_library_host), client_config()) {}

  Result<Response> send(const Request& request, std::stop_token stop) override {
    CancellableExchange way(m_timer, request, stop);
    try {
      const http::http_response answer = start(m_client, request, way);
      Response response{answer.status_code(), retry_after(answer), {}};
      read_body(answer, way.exchange, [&](std::string_view piece) {
        append(response.body, piece, request.body_limit_bytes, way.exchange);
        return true;
      });
      return response;
    } catch (const std::exception& e) {
      return failure(request, way.exchange, request.timeout, e.what());
    }
  }

  Result<StreamEnd>
  stream(const Request& request, const ByteSink& sink, std::stop_token stop) override {
    CancellableExchange way(m_timer, request, stop);
    auto patience = request.timeout;
    try {
      const http::http_response answer = start(m_stream_client, request, way);
      patience = request.idle_timeout;
      way.exchange.restart_deadline(patience);
      StreamEnd end{answer.status_code(), retry_after(answer), {}, false};
      if (end.status != http::status_codes::OK) {
        read_body(answer, way.exchange, [&](std::string_view piece) {
          append(end.body, piece, k_error_body_limit_bytes, way.exchange);
          return true;
        });
        return end;
      }
      if (!answer.headers().has("Transfer-Encoding") && !answer.headers().has("Content-Length")) {
        leave(way.exchange, Ending::not_chunked); // the library would wait for 64 KiB at a time
      }
      read_body(answer, way.exchange, [&](std::string_view piece) {
        way.exchange.restart_deadline(patience);
        end.ended_by_sink = !sink(piece);
        return !end.ended_by_sink;
      });
      if (end.ended_by_sink) {
        way.exchange.end(Ending::enough); // closes the connection
      }
      return end;
    } catch (const std::exception& e) {
      return failure(request, way.exchange, patience, e.what());
    }
  }

private:
  [[nodiscard]] http::client::http_client_config client_config() const {
    http::client::http_client_config config;
    config.set_timeout(k_library_timeout);
    config.set_max_redirects(0);
    config.set_tlsext_sni_enabled(!is_ip_address(verified_name())); // RFC 6066 section 3
    config.set_ssl_context_callback([tls = m_tls](boost::asio::ssl::context& context) {
      const Status applied = tls->apply(context.native_handle());
      if (!applied) {
        tls->note(applied.error());
        throw Ended();
      }
      SSL_CTX_set_info_callback(context.native_handle(), on_tls);
    });
    if (m_url.tls) {
      config.set_nativehandle_options(know_socket);
    }
    return config;
  }

  [[nodiscard]] const std::string& verified_name() const {
    return m_server_name.empty() ? m_url.host : m_server_name;
  }

  /// Sends it and waits for the headers of the answer.
  http::http_response
  start(http::client::http_client& client, const Request& request, CancellableExchange& way) {
    http::http_request message = message_of(request);
    if (!m_server_name.empty()) {
      message.headers().add("Host", m_server_name); // the library asks for this name (SNI)
    } else if (is_ipv6_address(m_library_host)) {
      message.headers().add("Host", m_url.authority());
    }
    message.set_progress_handler(
        [flow = way.exchange.flow()](http::message_direction::direction direction,
                                     utility::size64_t bytes) {
          if (direction == http::message_direction::download && flow->is_too_far_ahead(bytes)) {
            throw Ended();
          }
        });
    http::http_response answer = client.request(message, way.cancel.get_token()).get();
    if (answer.headers().content_length() > request.body_limit_bytes) {
      leave(way.exchange, Ending::too_large);
    }
    return answer;
  }

  Error failure(const Request& request,
                const Exchange& exchange,
                std::chrono::milliseconds patience,
                std::string_view said) const {
    return error_of({request,
                     m_url,
                     exchange.ending(),
                     patience,
                     said,
                     m_tls->take_failure(),
                     verified_name(),
                     m_tls->ca_name()});
  }

  const ServerUrl m_url;
  const std::string m_server_name;
  const std::shared_ptr<TlsSetup> m_tls; ///< Shared with the library's connections.
  const std::string m_library_host;
  DeadlineTimer m_timer;
  http::client::http_client m_client;
  http::client::http_client m_stream_client; ///< A pool of its own: watches hold up no calls.
};

} // namespace

void initialize_http_threads(unsigned count) {
  try {
    crossplat::threadpool::initialize_with_threads(count);
  } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): it runs already
  }
}

Result<std::unique_ptr<Transport>> make_cpprest_transport(ClientConfig config) {
  RB_TRY_ASSIGN(ServerUrl url, parse_server_url(config.server));
  try {
    return std::unique_ptr<Transport>(
        std::make_unique<CpprestTransport>(std::move(url), std::move(config)));
  } catch (const std::exception& e) {
    return Error{ErrorCode::internal, std::string("http client: ") + e.what(), {}};
  }
}

} // namespace rb::kube

// The only file that uses cpprestsdk 2.10. Its habits that matter here, each met below:
//   - a read of n bytes waits for all n: bodies are read with bumpc() and in_avail();
//   - there is no backpressure: the progress handler ends a response that outruns its reader;
//   - its timeout is an idle timer: deadlines are our own and cancel the request's token;
//   - redirects carry the token to other hosts: they are off;
//   - the reason of a TLS failure is lost: TlsSetup keeps it;
//   - a task whose exception nobody looks at ends the program: each task is get() here, none is
//     continued.
#include "kube/transport_cpprest.hpp"

#include "kube/deadline_timer.hpp"
#include "kube/server_url.hpp"
#include "kube/tls_setup.hpp"

#include <cpprest/http_client.h>

#include <pplx/threadpool.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <optional>

namespace rb::kube {

namespace {

namespace http = web::http;

constexpr std::size_t k_piece_bytes = 64U * 1024U;
constexpr std::size_t k_error_body_limit_bytes = 64U * 1024U;
/// Longer than any deadline of ours: the library's own timer must not come first, because after it
/// a request on a kept connection is sent again.
constexpr std::chrono::hours k_library_timeout{6};

enum class Ending { none, stopped, deadline, too_large };

/// Shared with the library's threads, which may outlive the call.
struct Flow {
  std::atomic<Ending> ending{Ending::none};
  std::atomic<std::uint64_t> read_bytes{0}; ///< Taken out of the library's buffer.
  std::uint64_t ahead_limit_bytes = 0;      ///< How far the library may be ahead of that.
};

/// One request under way: what may end it early, and which of them did.
class Exchange {
public:
  Exchange(DeadlineTimer& timer,
           std::chrono::milliseconds timeout,
           std::uint64_t ahead_limit_bytes,
           const std::stop_token& stop)
      : m_on_stop(stop, [this] { end(Ending::stopped); }),
        m_alarm(timer, timeout, [this] { end(Ending::deadline); }) {
    m_flow->ahead_limit_bytes = ahead_limit_bytes;
  }

  void end(Ending why) {
    Ending none = Ending::none;
    m_flow->ending.compare_exchange_strong(none, why);
    m_cancel.cancel();
  }

  [[nodiscard]] Ending ending() const { return m_flow->ending.load(); }
  [[nodiscard]] const std::shared_ptr<Flow>& flow() const { return m_flow; }
  [[nodiscard]] pplx::cancellation_token token() const { return m_cancel.get_token(); }
  void restart_deadline(std::chrono::milliseconds timeout) { m_alarm.restart(timeout); }

private:
  std::shared_ptr<Flow> m_flow = std::make_shared<Flow>();
  pplx::cancellation_token_source m_cancel;
  std::stop_callback<std::function<void()>> m_on_stop;
  DeadlineTimer::Alarm m_alarm;
};

/// Ends a response that is further ahead of its reader than it may be.
void watch_progress(http::http_request& request, const std::shared_ptr<Flow>& flow) {
  request.set_progress_handler(
      [flow](http::message_direction::direction direction, utility::size64_t bytes) {
        if (direction == http::message_direction::download &&
            bytes > flow->read_bytes.load() + flow->ahead_limit_bytes) {
          Ending none = Ending::none;
          flow->ending.compare_exchange_strong(none, Ending::too_large);
          throw std::runtime_error("the response outruns its reader");
        }
      });
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
void read_body(http::http_response& response, Exchange& exchange, Take take) {
  auto buffer = response.body().streambuf();
  std::array<std::uint8_t, k_piece_bytes> piece{};
  while (true) {
    const auto first = buffer.bumpc().get(); // the only read that waits
    if (first == decltype(buffer)::traits::eof()) {
      response.content_ready().get();
      return;
    }
    piece[0] = static_cast<std::uint8_t>(first);
    const std::size_t more = std::min(buffer.in_avail(), piece.size() - 1);
    const std::size_t size = 1 + (more == 0 ? 0 : buffer.getn(piece.data() + 1, more).get());
    exchange.flow()->read_bytes += size;
    if (!take(as_text({piece.data(), size}))) {
      return;
    }
  }
}

class CpprestTransport final : public Transport {
public:
  CpprestTransport(ServerUrl url, ClientConfig config)
      : m_url(std::move(url)), m_server_name(std::move(config.tls_server_name)),
        m_tls(std::make_shared<TlsSetup>(std::move(config.ca),
                                         std::move(config.client_certificate),
                                         std::move(config.client_key))),
        m_client(m_url.text(), client_config()), m_stream_client(m_url.text(), client_config()) {}

  Result<Response> send(const Request& request, std::stop_token stop) override {
    Exchange exchange(m_timer, request.timeout, request.body_limit_bytes, stop);
    try {
      http::http_response answer = start(m_client, request, exchange);
      Response response{answer.status_code(), retry_after(answer), {}};
      read_body(answer, exchange, [&](std::string_view piece) {
        return append_bounded(response.body, piece, request.body_limit_bytes, exchange);
      });
      if (exchange.ending() == Ending::too_large) {
        return too_large(request);
      }
      return response;
    } catch (const std::exception& e) {
      return failure(request, request.timeout, exchange, e);
    }
  }

  Result<StreamEnd>
  stream(const Request& request, const ByteSink& sink, std::stop_token stop) override {
    Exchange exchange(m_timer, request.timeout, request.body_limit_bytes, stop);
    auto patience = request.timeout;
    try {
      http::http_response answer = start(m_stream_client, request, exchange);
      patience = request.idle_timeout;
      exchange.restart_deadline(patience);
      StreamEnd end{answer.status_code(), retry_after(answer), {}, false};
      if (end.status != http::status_codes::OK) {
        read_body(answer, exchange, [&](std::string_view piece) {
          return append_bounded(end.body, piece, k_error_body_limit_bytes, exchange);
        });
        return end; // a longer body of an error is cut, which does not matter
      }
      if (!answer.headers().has("Transfer-Encoding") && !answer.headers().has("Content-Length")) {
        exchange.end(Ending::too_large);
        return Error{ErrorCode::unsupported,
                     what(request) + ": the answer is neither chunked nor has it a length",
                     "is there an old proxy in front of the API server?"};
      }
      read_body(answer, exchange, [&](std::string_view piece) {
        exchange.restart_deadline(patience);
        end.ended_by_sink = !sink(piece);
        return !end.ended_by_sink;
      });
      if (end.ended_by_sink) {
        exchange.end(Ending::stopped); // closes the connection
      }
      return end;
    } catch (const std::exception& e) {
      return failure(request, patience, exchange, e);
    }
  }

private:
  [[nodiscard]] http::client::http_client_config client_config() const {
    http::client::http_client_config config;
    config.set_timeout(k_library_timeout);
    config.set_max_redirects(0);
    // No SNI for an address (RFC 6066 section 3).
    config.set_tlsext_sni_enabled(!is_ipv4_address(verified_name()));
    config.set_ssl_context_callback([tls = m_tls](boost::asio::ssl::context& context) {
      const Status applied = tls->apply(context.native_handle());
      if (!applied) {
        tls->note(applied.error());
        throw std::runtime_error("TLS set-up");
      }
    });
    return config;
  }

  [[nodiscard]] const std::string& verified_name() const {
    return m_server_name.empty() ? m_url.host : m_server_name;
  }

  /// Sends it and waits for the headers of the answer.
  http::http_response
  start(http::client::http_client& client, const Request& request, Exchange& exchange) {
    http::http_request message(request_method(request.method));
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
    if (!m_server_name.empty()) {
      headers.add("Host", m_server_name); // the library verifies the name that is here
    }
    if (!request.content_type.empty()) {
      message.set_body(request.body, request.content_type);
    }
    watch_progress(message, exchange.flow());
    http::http_response answer = client.request(message, exchange.token()).get();
    if (answer.headers().content_length() > request.body_limit_bytes) {
      exchange.end(Ending::too_large);
      throw std::runtime_error("too large");
    }
    return answer;
  }

  static const http::method& request_method(Method method) {
    switch (method) {
    case Method::get:
      return http::methods::GET;
    case Method::post:
      return http::methods::POST;
    case Method::put:
      return http::methods::PUT;
    case Method::patch:
      return http::methods::PATCH;
    case Method::delete_:
      return http::methods::DEL;
    }
    return http::methods::GET;
  }

  static bool append_bounded(std::string& body,
                             std::string_view piece,
                             std::size_t limit_bytes,
                             Exchange& exchange) {
    if (body.size() + piece.size() > limit_bytes) {
      exchange.end(Ending::too_large);
      return false;
    }
    body.append(piece);
    return true;
  }

  static std::string what(const Request& request) {
    return std::string(to_string(request.method)) + " " + request.path;
  }

  static Error too_large(const Request& request) {
    return {ErrorCode::unsupported,
            what(request) + ": the answer is larger than " +
                std::to_string(request.body_limit_bytes) + " bytes",
            {}};
  }

  Error failure(const Request& request,
                std::chrono::milliseconds patience,
                const Exchange& exchange,
                const std::exception& exception) {
    switch (exchange.ending()) {
    case Ending::stopped:
      return {ErrorCode::cancelled, what(request) + ": stopped", {}};
    case Ending::deadline:
      return {ErrorCode::timeout,
              what(request) + ": no answer from " + m_url.text() + " for " +
                  std::to_string(patience.count()) + " ms",
              {}};
    case Ending::too_large:
      return too_large(request);
    case Ending::none:
      break;
    }
    return connection_failure(what(request), exception.what());
  }

  /// The library's words tell where it failed; its error codes do not.
  Error connection_failure(const std::string& subject, std::string_view said) {
    Error error{ErrorCode::unavailable, {}, {}};
    const std::string tls_reason = m_tls->take_failure();
    if (said.find("resolv") != std::string_view::npos &&
        said.find("endpoint") == std::string_view::npos) {
      error.system_errno = ECONNREFUSED;
      error.message = m_url.text() + ": cannot resolve " + m_url.host;
      error.hint = "check the server's name and the DNS";
    } else if (said.starts_with("Failed to connect")) {
      error.system_errno = ECONNREFUSED;
      error.message = m_url.text() + ": cannot connect (refused or unreachable)";
      error.hint = "is the API server running, and is this its address?";
    } else if (!tls_reason.empty() || said.find("SSL handshake") != std::string_view::npos) {
      error.system_errno = EPROTO;
      error.message = m_url.text() + ": TLS: " +
                      (tls_reason.empty() ? "the server ended the handshake" : tls_reason);
      error.hint = "the server is expected to be \"" + verified_name() +
                   "\" with a certificate of " + m_tls->ca_name();
    } else {
      error.message =
          subject + ": connection to " + m_url.text() + " lost before the end of the answer";
    }
    return error;
  }

  const ServerUrl m_url;
  const std::string m_server_name;
  const std::shared_ptr<TlsSetup> m_tls; ///< Shared with the library's connections.
  DeadlineTimer m_timer;
  http::client::http_client m_client;
  http::client::http_client m_stream_client; ///< A pool of its own: watches block no calls.
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

// The HTTP port of this room: one request and its whole response, or one request and the bytes of
// its response as they come. What stands behind it can be replaced (tests do); ours is over
// HTTP/1.1 and TLS, on cpprestsdk, of which nothing shows here.
#pragma once

#include "base/result.hpp"
#include "kube/client_config.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rb::kube {

enum class Method { get, post, put, patch, remove };

/// "GET", "POST", "PUT", "PATCH", "DELETE".
[[nodiscard]] constexpr std::string_view to_string(Method method) {
  switch (method) {
  case Method::get:
    return "GET";
  case Method::post:
    return "POST";
  case Method::put:
    return "PUT";
  case Method::patch:
    return "PATCH";
  case Method::remove:
    return "DELETE";
  }
  return "GET";
}

inline constexpr std::size_t k_default_body_limit_bytes = std::size_t{64} * 1024 * 1024;

struct Request {
  Method method = Method::get;
  std::string path; ///< Absolute, each segment percent-encoded already.
  std::vector<std::pair<std::string, std::string>> query; ///< Plain; the transport encodes it.
  std::string accept = "application/json";
  std::string content_type; ///< Of `body`; empty without one.
  std::string body;
  std::string user_agent;        ///< Not sent when empty.
  std::string_view bearer_token; ///< Set by AuthorizingTransport; must outlive the call.
  /// send: for the whole exchange. stream: until the response headers are there.
  std::chrono::milliseconds timeout{std::chrono::seconds(30)};
  /// stream only: the longest silence between two pieces of the body.
  std::chrono::milliseconds idle_timeout{std::chrono::seconds(30)};
  std::size_t body_limit_bytes = k_default_body_limit_bytes;
};

struct Response {
  int status = 0;
  std::chrono::seconds retry_after{0}; ///< Header Retry-After in seconds, else 0.
  std::string body;
};

/// Takes the next bytes of a streamed body; false ends the stream.
using ByteSink = std::function<bool(std::string_view)>;

struct StreamEnd {
  int status = 0;
  std::chrono::seconds retry_after{0};
  std::string body; ///< Of a response that is not 200 (at most 64 KiB); the sink saw none.
  bool ended_by_sink = false; ///< The sink returned false.
};

/// Implementations are safe to share between threads. A response with any HTTP status is a value.
/// Errors of both calls: unavailable (no connection, TLS, connection lost, body truncated;
/// `system_errno` is ECONNREFUSED when the server was never reached), timeout, cancelled (`stop`),
/// unsupported (body larger than the limit, or a server that outruns the reader).
class Transport {
public:
  Transport() = default;
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;
  Transport(Transport&&) = delete;
  Transport& operator=(Transport&&) = delete;

  [[nodiscard]] virtual Result<Response> send(const Request& request, std::stop_token stop) = 0;

  /// Returns when the server ended the body as HTTP wants it, or the sink has enough.
  [[nodiscard]] virtual Result<StreamEnd>
  stream(const Request& request, const ByteSink& sink, std::stop_token stop) = 0;
};

/// Starts the HTTP library's thread pool with `count` threads instead of 40. Call it first thing in
/// main; later calls do nothing.
void initialize_http_threads(unsigned count = 4);

/// The transport to one server. Uses server, tls_server_name, ca, client_certificate and client_key
/// of `config`, never the token (AuthorizingTransport does). TLS 1.2 or newer; only the given CA is
/// trusted; certificate files are read again for each connection; redirects are not followed. No
/// connection is made here. Errors: invalid_argument, unsupported (http to another host).
///
/// Caveat: a request on a kept connection that the server closes is sent a second time by the
/// library, POST included. Callers use deterministic names and resource versions.
[[nodiscard]] Result<std::unique_ptr<Transport>> make_cpprest_transport(ClientConfig config);

} // namespace rb::kube

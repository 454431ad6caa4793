// The way into the API of a server on this host, as a comparison needs it: GET, and nothing else,
// through `k3s kubectl proxy` on a Unix socket. No port is opened, and a server in namespaces of
// its own is reached by the socket's name.
#pragma once

#include "base/clock.hpp"
#include "base/port.hpp"
#include "base/process.hpp"
#include "base/result.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace rb::objects {

struct ApiAnswer {
  int status = 0;   ///< HTTP status.
  std::string body; ///< Whole.
};

class ApiPort : public Port {
public:
  /// `path` with its query; `accept` is the media type asked for. Any status is an answer.
  /// Errors: unavailable (nobody answers), timeout, corrupt (not HTTP, or cut off), unsupported
  /// (larger than 32 MiB).
  [[nodiscard]] virtual Result<ApiAnswer> get(const std::string& path,
                                              const std::string& accept) = 0;
};

/// An answer to an HTTP/1.0 request, read to its end. Errors: corrupt.
[[nodiscard]] Result<ApiAnswer> parse_answer(std::string_view text);

class SocketApi final : public ApiPort {
public:
  /// `path` must be short enough for a socket address (107 bytes).
  SocketApi(std::string path, std::chrono::seconds timeout)
      : m_path(std::move(path)), m_timeout(timeout) {}

  [[nodiscard]] Result<ApiAnswer> get(const std::string& path, const std::string& accept) override;

private:
  std::string m_path;
  std::chrono::seconds m_timeout; ///< For each part of the answer.
};

struct ProxyOrder {
  std::string program;     ///< k3s, absolute path.
  std::string kubeconfig;  ///< Absolute path.
  std::string socket_path; ///< In a directory that nobody else can enter; at most 107 bytes.
  std::map<std::string, std::string> environment; ///< All of it.
};

[[nodiscard]] ProcessSpec proxy_spec(const ProxyOrder& order);

struct ProxyWait {
  std::chrono::seconds patience{30};
  std::function<Status()> alive = {}; ///< Its error ends the wait. May be empty.
  std::string log_path = {};          ///< What the proxy writes; may be empty.
  std::stop_token stop = {};
};

/// Until the API server says through the proxy that it is ready. A proxy reads its kubeconfig once:
/// one that trusts another CA answers for ever, with an error of its own. Errors: unavailable (with
/// the proxy's own words: its answer, or the last line of its log), invalid_argument (the socket's
/// name is too long), cancelled.
[[nodiscard]] Status await_proxy(ApiPort& api, Waiter& waiter, const ProxyWait& wait);

/// Starts the proxy and waits until the API server answers through it (at most `patience`). It
/// ends, and its socket goes, with the value, and also when this process is killed. To be called by
/// the thread that keeps the value. Errors: not_found and permission_denied (the program),
/// invalid_argument (the socket's name is too long), unavailable (it ended, or does not answer),
/// io.
[[nodiscard]] Result<std::unique_ptr<ApiPort>>
start_proxy(const ProxyOrder& order,
            Waiter& waiter,
            std::chrono::seconds patience = std::chrono::seconds(30));

} // namespace rb::objects

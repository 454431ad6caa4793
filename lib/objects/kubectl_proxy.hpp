// The way into the API of a server on this host: `k3s kubectl proxy` on a Unix socket, one process
// for all questions.
#pragma once

#include "objects/api_port.hpp"

#include "base/process.hpp"
#include "base/sleeper.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>

namespace rb::objects {

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
[[nodiscard]] Status await_proxy(ApiPort& api, Sleeper& sleeper, const ProxyWait& wait);

/// Starts the proxy and waits until the API server answers through it (at most `patience`). It
/// ends, and its socket goes, with the value, and also when this process is killed. To be called by
/// the thread that keeps the value. Errors: not_found and permission_denied (the program),
/// invalid_argument (the socket's name is too long), unavailable (it ended, or does not answer),
/// io.
[[nodiscard]] Result<std::unique_ptr<ApiPort>>
start_proxy(const ProxyOrder& order,
            Sleeper& sleeper,
            std::chrono::seconds patience = std::chrono::seconds(30));

} // namespace rb::objects

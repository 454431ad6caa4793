// The way into the API of a server on this host: `k3s kubectl proxy` on a Unix socket, one process
// for all questions.
#pragma once

#include "objects/api_port.hpp"

#include "base/process.hpp"
#include "base/sleeper.hpp"

#include <map>
#include <memory>
#include <string>

namespace rb::objects {

struct ProxyOrder {
  std::string program;     ///< k3s, absolute path.
  std::string kubeconfig;  ///< Absolute path.
  std::string socket_path; ///< In a directory that nobody else can enter; at most 107 bytes.
  std::map<std::string, std::string> environment; ///< All of it.
};

[[nodiscard]] ProcessSpec proxy_spec(const ProxyOrder& order);

/// Starts the proxy and waits until it answers (at most `patience`). It ends, and its socket goes,
/// with the value, and also when this process is killed. To be called by the thread that keeps the
/// value. Errors: not_found and permission_denied (the program), invalid_argument (the socket's
/// name is too long), unavailable (it ended, or does not answer), io.
[[nodiscard]] Result<std::unique_ptr<ApiPort>>
start_proxy(const ProxyOrder& order,
            Sleeper& sleeper,
            std::chrono::seconds patience = std::chrono::seconds(30));

} // namespace rb::objects

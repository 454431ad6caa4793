// /livez, /readyz and /metrics of a program in a pod, on a few threads (cpp-httplib,
// prometheus-cpp). GET only; nothing is ever read from a client but the request line and headers.
#pragma once

#include "base/result.hpp"

#include <prometheus/collectable.h>

#include <functional>
#include <memory>
#include <string>

namespace rb::serve {

struct Endpoints {
  /// Empty: ready. Else what is still missing ("caches not synced"). Called from several threads.
  std::function<std::string()> not_ready_because;
  /// Empty: alive. Must not depend on the API server: a pod is not restarted because that is gone.
  std::function<std::string()> not_alive_because;
  /// What /metrics shows; a prometheus::Registry. May be null.
  std::shared_ptr<prometheus::Collectable> metrics;
};

/// Listens from start() until it is destroyed or stop() is called.
class Server {
public:
  /// `listen` is "HOST:PORT"; port 0 takes a free one. Errors: invalid_argument, io (the address
  /// cannot be bound).
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const std::string& listen,
                                                             Endpoints endpoints);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  Server(Server&&) = delete;
  Server& operator=(Server&&) = delete;

  /// The port that is listened on.
  [[nodiscard]] int port() const;

  /// Ends all requests and closes the port. May be called twice.
  void stop();

private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> m_impl;
};

} // namespace rb::serve

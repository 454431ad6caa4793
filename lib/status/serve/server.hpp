// /livez, /readyz and /metrics of a program in a pod. GET only; nothing is ever read from a client
// but the request line and headers. Nobody who can connect can keep others from being answered
// (docs/decisions/0015): one thread looks after all connections and waits for none, each has one
// deadline for everything, and when there are too many, the one that has been idle for longest
// goes.
#pragma once

#include "base/result.hpp"

#include <prometheus/collectable.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace rb::status {

struct Endpoints {
  /// Empty: ready. Else what is still missing ("caches not synced"). Called from the thread that
  /// looks after all connections: it must not wait for anything.
  std::function<std::string()> not_ready_because;
  /// Empty: alive. Must not depend on the API server: a pod is not restarted because that is gone.
  /// Nor may it wait.
  std::function<std::string()> not_alive_because;
  /// What /metrics shows; a prometheus::Registry. Collected on a thread of its own. May be null.
  std::shared_ptr<prometheus::Collectable> metrics;
};

struct Limits {
  std::chrono::milliseconds request{5000};  ///< From the connection to the end of the headers.
  std::chrono::milliseconds answer{10000};  ///< From when it is known until the client has it all.
  std::chrono::milliseconds farewell{1000}; ///< Then until the client closes its end.
  std::size_t head_bytes = 8192;
  std::size_t connections = 128;
  /// Of these, at most so many that read /metrics: each holds a text.
  std::size_t metrics_connections = 16;
};

/// Listens from start() until it is destroyed or stop() is called.
class Server {
public:
  /// `listen` as for listen_on: "HOST:PORT"; port 0 takes a free one. Errors: invalid_argument, io
  /// (the address cannot be bound).
  [[nodiscard]] static Result<std::unique_ptr<Server>>
  start(const std::string& listen, Endpoints endpoints, Limits limits = {});
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

} // namespace rb::status

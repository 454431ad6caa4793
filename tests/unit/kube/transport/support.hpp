// What the tests of the transport share.
#pragma once

#include "loopback_server.hpp"

#include "kube/transport.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace rb::kube::test {

inline std::unique_ptr<Transport> connect(ClientConfig config) {
  initialize_http_threads();
  return make_cpprest_transport(std::move(config)).value();
}

inline std::unique_ptr<Transport> connect(const LoopbackServer& server) {
  ClientConfig config;
  config.server = server.url();
  return connect(std::move(config));
}

inline Request get(const std::string& path) {
  Request request;
  request.path = path;
  request.timeout = std::chrono::seconds(10);
  request.idle_timeout = std::chrono::seconds(10);
  return request;
}

/// Answers every request on every connection with the same bytes.
inline LoopbackServer::Handler always(std::string bytes) {
  return [bytes = std::move(bytes)](Peer& peer) {
    while (!peer.read_request().empty() && peer.write(bytes)) {
    }
  };
}

class Stopwatch {
public:
  std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 m_began);
  }

private:
  std::chrono::steady_clock::time_point m_began = std::chrono::steady_clock::now();
};

} // namespace rb::kube::test

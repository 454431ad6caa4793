// Receivers of messages for the tests of this room.
#pragma once

#include "unit/kube/transport/loopback_server.hpp"

#include <mutex>
#include <string>

namespace rb::test {

/// Takes one request and says `text`.
inline kube::test::LoopbackServer::Handler answering(const std::string& text) {
  return [text](kube::test::Peer& peer) {
    if (!peer.read_request().empty()) {
      peer.write(text);
      peer.wait_closed();
    }
  };
}

/// A receiver that keeps the last request, and is content with it.
struct Keeper {
  std::mutex mutex;
  std::string last;
  kube::test::LoopbackServer server;

  explicit Keeper(const kube::test::TestCertificates* tls = nullptr)
      : server(
            [this](kube::test::Peer& peer) {
              const std::string request = peer.read_request();
              {
                const std::lock_guard lock(mutex);
                last = request;
              }
              peer.write(kube::test::response(200, "ok"));
              peer.wait_closed();
            },
            tls) {}

  std::string request() {
    const std::lock_guard lock(mutex);
    return last;
  }
};

} // namespace rb::test

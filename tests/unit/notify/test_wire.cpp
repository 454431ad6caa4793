// A name with several addresses, not all of which answer.
#include "notify/wire.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

using namespace rb;
using namespace rb::notify;
using namespace std::chrono_literals;

namespace {

/// Listens on this host; nobody needs to accept for a connection to be made.
class Listener {
public:
  explicit Listener(int backlog) : m_socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof where;
    auto* const address = reinterpret_cast<sockaddr*>(&where);
    REQUIRE(::bind(m_socket.get(), address, size) == 0);
    REQUIRE(::listen(m_socket.get(), backlog) == 0);
    REQUIRE(::getsockname(m_socket.get(), address, &size) == 0);
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&where);
    m_address = {AF_INET, Bytes(bytes, bytes + size)};
  }
  [[nodiscard]] const SocketAddress& address() const { return m_address; }

private:
  Fd m_socket;
  SocketAddress m_address;
};

/// Its queue is full: the kernel drops whatever else comes, and says nothing.
class Silent {
public:
  Silent() : m_listener(0) {
    const Bytes& where = m_listener.address().bytes;
    const auto* const address = reinterpret_cast<const sockaddr*>(where.data());
    bool full = false;
    for (int i = 0; i < 16 && !full; ++i) {
      Fd filler(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      static_cast<void>(::connect(filler.get(), address, static_cast<socklen_t>(where.size())));
      pollfd watched{filler.get(), POLLOUT, 0};
      full = ::poll(&watched, 1, 200) == 0;
      m_fillers.push_back(std::move(filler));
    }
    REQUIRE(full);
  }
  [[nodiscard]] const SocketAddress& address() const { return m_listener.address(); }

private:
  Listener m_listener;
  std::vector<Fd> m_fillers;
};

SocketAddress nobody() {
  return Listener(1).address(); // closed again
}

} // namespace

TEST_CASE("an address that is silent does not keep the others from being tried") {
  const Silent silent;
  const Listener good(8);
  Patience patience(std::stop_token(), 2s);
  CHECK(Wire::connect({silent.address(), good.address()}, patience).has_value());
  Patience other(std::stop_token(), 2s);
  CHECK(Wire::connect({nobody(), silent.address(), good.address()}, other).has_value());
}

TEST_CASE(
    "of addresses that are silent the time is up in the end, and the last one's word is said") {
  const Silent silent;
  Patience patience(std::stop_token(), 400ms);
  const auto none = Wire::connect({silent.address(), silent.address()}, patience);
  REQUIRE_FALSE(none.has_value());
  CHECK(none.error().code == ErrorCode::timeout);
  CHECK(none.error().hint.find("networkPolicy.notifyPorts") != std::string::npos);
  Patience other(std::stop_token(), 400ms);
  const auto refused = Wire::connect({silent.address(), nobody()}, other);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().message.find("cannot connect") != std::string::npos);
}

TEST_CASE("told to stop, no further address is tried") {
  const Silent silent;
  const Listener good(8);
  std::stop_source source;
  source.request_stop();
  Patience patience(source.get_token(), 2s);
  const auto stopped = Wire::connect({silent.address(), good.address()}, patience);
  REQUIRE_FALSE(stopped.has_value());
  CHECK(stopped.error().code == ErrorCode::cancelled);
}

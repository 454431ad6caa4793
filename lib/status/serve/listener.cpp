#include "status/serve/listener.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <memory>

namespace rb::status {

namespace {

/// Of each connection, in the kernel but on the account of our container.
constexpr int k_send_buffer_bytes = 65536;

struct Address {
  std::string host;
  std::string port;
};

Result<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon != std::string::npos && colon > 0) {
    Address address{text.substr(0, colon), text.substr(colon + 1)};
    if (address.host.size() > 2 && address.host.front() == '[' && address.host.back() == ']') {
      address.host = address.host.substr(1, address.host.size() - 2);
    }
    int port = -1;
    const char* const end = address.port.data() + address.port.size();
    const auto [stop, failed] = std::from_chars(address.port.data(), end, port);
    if (failed == std::errc{} && stop == end && port >= 0 && port <= 65535) {
      return address;
    }
  }
  return Error{ErrorCode::invalid_argument,
               "listen address '" + text + "': not of the form HOST:PORT",
               "use for example 0.0.0.0:8080"};
}

int port_of(const Fd& socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    return 0;
  }
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                           : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

/// Errors: the errno of the call that failed.
Result<Fd> bind_to(const addrinfo& where) {
  Fd socket(::socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const int yes = 1;
  const bool listens =
      socket.valid() &&
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
      ::setsockopt(
          socket.get(), SOL_SOCKET, SO_SNDBUF, &k_send_buffer_bytes, sizeof k_send_buffer_bytes) ==
          0 &&
      ::bind(socket.get(), where.ai_addr, where.ai_addrlen) == 0 &&
      ::listen(socket.get(), SOMAXCONN) == 0;
  if (!listens) {
    return system_error(errno, "cannot be listened on");
  }
  return socket;
}

} // namespace

Result<Listener> listen_on(const std::string& listen) {
  RB_TRY_ASSIGN(const Address address, parse_address(listen));
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &wanted, &found);
  Error trouble{ErrorCode::io, "cannot be listened on", {}};
  if (failed != 0) {
    trouble.message += std::string(": ") + ::gai_strerror(failed);
    found = nullptr;
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, &::freeaddrinfo);
  for (const addrinfo* where = all.get(); where != nullptr; where = where->ai_next) {
    auto socket = bind_to(*where);
    if (socket) {
      const int port = port_of(*socket);
      return Listener{*std::move(socket), port};
    }
    trouble = std::move(socket).error();
  }
  trouble.code = ErrorCode::io;
  trouble.hint = "choose another one with --metrics-listen";
  return std::move(trouble).within(listen);
}

} // namespace rb::status

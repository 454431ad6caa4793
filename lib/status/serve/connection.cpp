#include "status/serve/connection.hpp"

#include "base/text.hpp"

#include <linux/sockios.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rb::status {

namespace {

/// The bytes before the empty line, or npos. A bare line feed ends a line, too (RFC 9112, 2.2).
std::size_t end_of_head(std::string_view text) {
  return std::min(text.find("\r\n\r\n"), text.find("\n\n"));
}

constexpr std::size_t k_chunk_bytes = 4096;

bool would_wait() {
  return errno == EAGAIN || errno == EINTR;
}

const char* words_of(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 431:
    return "Request Header Fields Too Large";
  case 503:
    return "Service Unavailable";
  default:
    return "Internal Server Error";
  }
}

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
    const int port = whole_number<int>(address.port).value_or(-1);
    if (port >= 0 && port <= 65535) {
      return address;
    }
  }
  return Error{ErrorCode::invalid_argument,
               "listen address '" + text + "': not of the form HOST:PORT",
               "use for example [::]:8080"};
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

/// The socket of "::" takes IPv4, too, whatever the host's net.ipv6.bindv6only says.
bool takes_both_families(const Fd& socket, const addrinfo& where) {
  const int no = 0;
  return where.ai_family != AF_INET6 ||
         ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no) == 0;
}

/// Errors: the errno of the call that failed.
Result<Fd> bind_to(const addrinfo& where) {
  Fd socket(::socket(where.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const int yes = 1;
  const bool listens =
      socket.valid() && takes_both_families(socket, where) &&
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

RequestHead read_head(std::string_view received, std::size_t limit_bytes) {
  const std::string_view within = received.substr(0, limit_bytes);
  const std::size_t end = end_of_head(within);
  if (end == std::string_view::npos) {
    return {received.size() < limit_bytes ? HeadState::more_wanted : HeadState::too_long};
  }
  std::string_view line = within.substr(0, std::min(end, within.find('\n')));
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0 ||
      !line.substr(last + 1).starts_with("HTTP/1.")) {
    return {HeadState::not_http};
  }
  const std::string_view target = line.substr(first + 1, last - first - 1);
  return {HeadState::whole,
          std::string(line.substr(0, first)),
          std::string(target.substr(0, target.find('?')))};
}

short Connection::events() const {
  switch (m_phase) {
  case Phase::answering:
    return POLLOUT;
  case Phase::awaiting_metrics:
    return 0; // poll(2) reports an error without being asked
  case Phase::reading:
  case Phase::farewell:
    break;
  }
  return POLLIN;
}

void Connection::receive(std::size_t limit_bytes) {
  std::array<char, k_chunk_bytes> chunk{};
  while (m_received.size() < limit_bytes) {
    const std::size_t wanted = std::min(chunk.size(), limit_bytes - m_received.size());
    const ssize_t got = ::recv(fd(), chunk.data(), wanted, 0);
    if (got > 0) {
      m_received.append(chunk.data(), static_cast<std::size_t>(got));
      continue;
    }
    if (got == 0) {
      m_ended = true;
    } else if (!would_wait()) {
      close();
    }
    return;
  }
}

void Connection::await_metrics(std::uint64_t number, Time deadline) {
  m_phase = Phase::awaiting_metrics;
  m_metrics_number = number;
  m_deadline = deadline;
  m_received = {};
}

void Connection::answer(int status,
                        const char* type,
                        std::shared_ptr<const std::string> body,
                        Time deadline) {
  m_phase = Phase::answering;
  m_deadline = deadline;
  m_received = {};
  m_head = "HTTP/1.1 " + std::to_string(status) + " " + words_of(status) +
           "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body->size()) +
           "\r\nConnection: close\r\n\r\n";
  m_body = std::move(body);
}

void Connection::send(Time farewell) {
  const std::size_t all = m_head.size() + m_body->size();
  while (m_sent < all) {
    const std::size_t of_head = std::min(m_sent, m_head.size());
    const std::size_t of_body = m_sent - of_head;
    // sendmsg(2) does not write to what it sends.
    std::array<iovec, 2> parts{
        {{m_head.data() + of_head, m_head.size() - of_head},
         {const_cast<char*>(m_body->data()) + of_body, m_body->size() - of_body}}};
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(fd(), &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (!would_wait()) {
        close();
      }
      return;
    }
    m_sent += static_cast<std::size_t>(sent);
  }
  ::shutdown(fd(), SHUT_WR);
  m_phase = Phase::farewell;
  m_deadline = farewell;
  m_body.reset();
  discard();
}

void Connection::discard() {
  std::array<char, k_chunk_bytes> chunk{};
  const ssize_t got = ::recv(fd(), chunk.data(), chunk.size(), 0);
  if (got == 0 || (got < 0 && !would_wait())) {
    close();
  }
}

void Connection::close() {
  int unsent = 0;
  if (m_socket.valid() && ::ioctl(fd(), SIOCOUTQ, &unsent) == 0 && unsent > 0) {
    const linger at_once{1, 0};
    ::setsockopt(fd(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  m_socket = Fd();
}

namespace {

Result<Listener> listen_at(const Address& address) {
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
  return trouble;
}

/// A kernel that has no IPv6 (ipv6.disable=1).
bool is_without_ipv6(const Error& error) {
  return error.system_errno == EAFNOSUPPORT || error.system_errno == EADDRNOTAVAIL;
}

} // namespace

Result<Listener> listen_on(const std::string& listen) {
  RB_TRY_ASSIGN(const Address address, parse_address(listen));
  auto listener = listen_at(address);
  if (!listener && address.host == "::" && is_without_ipv6(listener.error())) {
    listener = listen_at({"0.0.0.0", address.port});
  }
  if (listener) {
    return listener;
  }
  Error trouble = std::move(listener).error();
  trouble.code = ErrorCode::io;
  trouble.hint = "choose another one with --metrics-listen";
  return std::move(trouble).within(listen);
}

} // namespace rb::status

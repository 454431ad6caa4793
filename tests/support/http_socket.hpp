// A client of one request over a plain TCP socket, for a server on 127.0.0.1 or [::1]: tests say
// byte by byte what is sent, and when.
#pragma once

#include "base/fd.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rb::test {

class HttpSocket {
public:
  /// `receive_bytes`: the size of the receive buffer; 0: the system's. `family`: AF_INET, AF_INET6.
  explicit HttpSocket(int port, int receive_bytes = 0, int family = AF_INET)
      : m_socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_bytes > 0) {
      ::setsockopt(m_socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    if (family == AF_INET6) {
      sockaddr_in6 six{};
      six.sin6_family = AF_INET6;
      six.sin6_port = htons(static_cast<std::uint16_t>(port));
      six.sin6_addr = in6addr_loopback;
      m_connected = ::connect(m_socket.get(), reinterpret_cast<sockaddr*>(&six), sizeof six) == 0;
      return;
    }
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    m_connected = ::connect(m_socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0;
  }

  [[nodiscard]] bool connected() const { return m_connected; }
  /// False: the other side has closed, or its buffers are full.
  bool send(std::string_view bytes) {
    return ::send(m_socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
           static_cast<ssize_t>(bytes.size());
  }
  void half_close() { ::shutdown(m_socket.get(), SHUT_WR); }
  /// Everything until the other side closes. Nothing: it did not within `patience`.
  [[nodiscard]] std::optional<std::string> read_all(std::chrono::milliseconds patience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    std::string text;
    while (true) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      pollfd watched{m_socket.get(), POLLIN, 0};
      if (left.count() <= 0 || ::poll(&watched, 1, static_cast<int>(left.count())) <= 0) {
        return std::nullopt;
      }
      std::array<char, 65536> chunk{};
      const ssize_t got = ::recv(m_socket.get(), chunk.data(), chunk.size(), 0);
      if (got <= 0) {
        return text;
      }
      text.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }

private:
  Fd m_socket;
  bool m_connected = false;
};

struct HttpAnswer {
  int status = 0; ///< 0: none came in time.
  std::string head;
  std::string body;
};

inline HttpAnswer parse_answer(const std::optional<std::string>& text) {
  HttpAnswer answer;
  const auto end = text ? text->find("\r\n\r\n") : std::string::npos;
  if (end != std::string::npos && text->starts_with("HTTP/1.1 ")) {
    answer.status = std::stoi(text->substr(9, 3));
    answer.head = text->substr(0, end);
    answer.body = text->substr(end + 4);
  }
  return answer;
}

/// As a kubelet or a Prometheus asks.
inline HttpAnswer http_get(int port,
                           const std::string& path,
                           std::chrono::milliseconds patience = std::chrono::seconds(5),
                           int family = AF_INET) {
  HttpSocket socket(port, 0, family);
  if (!socket.connected() ||
      !socket.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")) {
    return {};
  }
  return parse_answer(socket.read_all(patience));
}

} // namespace rb::test

#include "status/serve/connection.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace rb::status {

namespace {

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

} // namespace

short Connection::events() const {
  switch (m_phase) {
  case Phase::answering:
    return POLLOUT;
  case Phase::awaiting_metrics:
    return 0; // an error is told without being asked for
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

} // namespace rb::status

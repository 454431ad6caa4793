#include "objects/socket_api.hpp"

#include "base/fd.hpp"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace rb::objects {

namespace {

constexpr std::size_t k_answer_limit_bytes = std::size_t{64} << 20U;

Error broken(const char* what) {
  return {ErrorCode::corrupt, std::string("the API server: ") + what, {}};
}

Result<Fd> connect_to(const std::string& path, std::chrono::seconds timeout) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return Error{ErrorCode::invalid_argument,
                 path + ": too long for the name of a socket",
                 "choose a shorter scratch directory: --scratch-dir"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    return system_error(errno, path + ": socket");
  }
  const timeval limit{timeout.count(), 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  // sockets want it so
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return Error{ErrorCode::unavailable, path + ": nobody answers", {}, errno};
  }
  return socket;
}

Result<std::string> read_all(const Fd& socket, const std::string& path) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (got == 0) {
      return text;
    }
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      const bool late = errno == EAGAIN;
      return Error{late ? ErrorCode::timeout : ErrorCode::unavailable,
                   path + (late ? ": no answer in time" : ": the connection broke"),
                   {},
                   errno};
    }
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > k_answer_limit_bytes) {
      return Error{ErrorCode::unsupported, path + ": an answer is too large", {}};
    }
  }
}

/// Content-Length of the head, or -1 where there is none. Names in any case.
long long announced_length(std::string head) {
  for (char& c : head) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  constexpr std::string_view k_name = "\r\ncontent-length:";
  std::size_t at = head.find(k_name);
  if (at == std::string::npos) {
    return -1;
  }
  at = head.find_first_not_of(' ', at + k_name.size());
  long long length = -1;
  if (at != std::string::npos) {
    std::from_chars(head.data() + at, head.data() + head.size(), length);
  }
  return length;
}

} // namespace

Result<ApiAnswer> parse_answer(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.") || end == std::string_view::npos || text.size() < 12) {
    return broken("not an HTTP answer");
  }
  ApiAnswer answer;
  const auto parsed = std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  if (parsed.ec != std::errc() || answer.status < 100) {
    return broken("not an HTTP answer");
  }
  answer.body = std::string(text.substr(end + 4));
  const long long announced = announced_length(std::string(text.substr(0, end)));
  if (announced >= 0 && static_cast<std::size_t>(announced) != answer.body.size()) {
    return broken("an answer was cut off");
  }
  return answer;
}

Result<ApiAnswer> SocketApi::get(const std::string& path, const std::string& accept) {
  RB_TRY_ASSIGN(const Fd socket, connect_to(m_path, m_timeout));
  // HTTP/1.0: the answer comes unchunked and ends with the connection.
  const std::string request =
      "GET " + path + " HTTP/1.0\r\nHost: localhost\r\nAccept: " + accept + "\r\n\r\n";
  RB_TRY(write_all(socket, as_bytes(request), m_path));
  RB_TRY_ASSIGN(const std::string text, read_all(socket, m_path));
  return parse_answer(text);
}

} // namespace rb::objects

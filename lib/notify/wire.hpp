// Bytes to and from a receiver, with a limit of time on each wait that a stop ends at once: the
// address of a name, a TCP connection, TLS on it.
#pragma once

#include "notify/url.hpp"

#include "base/bytes.hpp"
#include "base/fd.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace rb::notify {

/// How long is waited, and what ends it. Belongs to one thread.
class Patience {
public:
  using Time = std::chrono::steady_clock::time_point;

  Patience(const std::stop_token& stop, std::chrono::milliseconds whole);

  /// No wait goes on beyond `limit` from now; the whole stays what it was.
  void narrow(std::chrono::milliseconds limit);
  void widen();

  /// Until poll(2) says `events` of `fd`. Errors: timeout, cancelled.
  [[nodiscard]] Status wait_for(int fd, short events) const;

  [[nodiscard]] Time until() const { return m_until; }
  [[nodiscard]] const std::stop_token& stop() const { return m_stop; }

private:
  void wake() const;

  const std::stop_token m_stop;
  const Time m_end;
  Time m_until;
  Fd m_wake; ///< An eventfd(2).
  std::stop_callback<std::function<void()>> m_on_stop;
};

/// An address as connect(2) takes it.
struct SocketAddress {
  int family = 0;
  Bytes bytes;
};

/// Of a name, or of an address in writing. A lookup cannot be broken off: one that is given up goes
/// on in a thread of its own until the resolver ends it. Errors: unavailable (there is none, or too
/// many lookups hang), timeout, cancelled.
[[nodiscard]] Result<std::vector<SocketAddress>>
look_up(const std::string& host, std::uint16_t port, const Patience& patience);

/// A connection. Errors of all: unavailable, timeout, cancelled.
class Wire {
public:
  /// To the first of the addresses that answers. One that is silent leaves the others half of the
  /// time, and the next is of the other family: of two ways to a name one often leads nowhere.
  [[nodiscard]] static Result<Wire> connect(const std::vector<SocketAddress>& addresses,
                                            Patience& patience);

  /// TLS from here on. Errors besides: those of reading `ca_file`.
  [[nodiscard]] Status
  start_tls(const std::string& host, const std::string& ca_file, const Patience& patience);

  [[nodiscard]] Status write(ByteView bytes, const Patience& patience);
  /// What has come, at least a byte; 0: the other end has closed.
  [[nodiscard]] Result<std::size_t> read(MutableByteView buffer, const Patience& patience);

private:
  struct Free {
    void operator()(ssl_st* ssl) const;
    void operator()(ssl_ctx_st* context) const;
  };

  explicit Wire(Fd socket) : m_socket(std::move(socket)) {}
  [[nodiscard]] Status tls_wait(int result, const Patience& patience);

  Fd m_socket;
  std::unique_ptr<ssl_ctx_st, Free> m_context;
  std::unique_ptr<ssl_st, Free> m_ssl;
};

} // namespace rb::notify

#include "notify/wire.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <limits>
#include <mutex>
#include <system_error>
#include <thread>

namespace rb::notify {

namespace {

using Clock = std::chrono::steady_clock;

/// Each keeps a thread; the resolver ends one after half a minute or so.
constexpr int k_hanging_lookups_limit = 4;

Error cancelled() {
  return {ErrorCode::cancelled, "told to stop", {}};
}

Error no_answer() {
  return {ErrorCode::timeout, "no answer in time", {}};
}

Error broken(int why) {
  return {ErrorCode::unavailable, "the connection broke", {}, why};
}

/// Shared with the thread that asks, which may outlive who waits.
struct Lookup {
  std::mutex mutex;
  std::condition_variable_any changed;
  bool done = false;
  int code = 0;
  std::vector<SocketAddress> found;
};

std::atomic<int>& lookups() {
  static std::atomic<int> count{0};
  return count;
}

void ask(const std::shared_ptr<Lookup>& lookup, const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int code = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  {
    const std::lock_guard lock(lookup->mutex);
    lookup->code = code;
    for (const addrinfo* one = code == 0 ? list : nullptr; one != nullptr; one = one->ai_next) {
      const auto* const bytes = reinterpret_cast<const std::uint8_t*>(one->ai_addr);
      lookup->found.push_back({one->ai_family, Bytes(bytes, bytes + one->ai_addrlen)});
    }
    lookup->done = true;
    lookup->changed.notify_all();
  }
  if (code == 0) {
    ::freeaddrinfo(list);
  }
  --lookups();
}

Result<Fd> connect_to(const SocketAddress& address, const Patience& patience) {
  Fd socket(::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) {
    return broken(errno);
  }
  // sockets want it so
  const auto* const where = reinterpret_cast<const sockaddr*>(address.bytes.data());
  if (::connect(socket.get(), where, static_cast<socklen_t>(address.bytes.size())) == 0) {
    return socket;
  }
  if (errno != EINPROGRESS) {
    return broken(errno);
  }
  RB_TRY(patience.wait_for(socket.get(), POLLOUT));
  int why = 0;
  socklen_t size = sizeof why;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &why, &size);
  return why == 0 ? Result<Fd>(std::move(socket)) : Result<Fd>(broken(why));
}

/// Those of the first one's family and those of the other by turns.
std::vector<SocketAddress> in_turn(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> own;
  std::vector<SocketAddress> other;
  for (const SocketAddress& address : addresses) {
    (address.family == addresses.front().family ? own : other).push_back(address);
  }
  std::vector<SocketAddress> turns;
  for (std::size_t i = 0; i < std::max(own.size(), other.size()); ++i) {
    for (const auto* const family : {&own, &other}) {
      if (i < family->size()) {
        turns.push_back((*family)[i]);
      }
    }
  }
  return turns;
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

/// The certificate must be of `host`, which is asked for by its name.
bool expect(SSL* ssl, const std::string& host) {
  if (is_address(host)) {
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str()) == 1;
  }
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host.c_str()) == 1 &&
         // RFC 6066 section 3: not of an address. OpenSSL's macro is this, with a cast of C.
         SSL_ctrl(ssl,
                  SSL_CTRL_SET_TLSEXT_HOSTNAME,
                  TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(host.c_str())) == 1;
}

const char* advice_for(long verdict) {
  switch (verdict) {
  case X509_V_OK:
    return "does that port speak TLS? https:// is for one that does";
  case X509_V_ERR_HOSTNAME_MISMATCH:
  case X509_V_ERR_IP_ADDRESS_MISMATCH:
    return "is the host of the URL the one that the certificate is for? where a search domain of "
           "the "
           "DNS answers instead of it, end it with a dot: https://hc-ping.com./…";
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return "renew the receiver's certificate; or is the clock of this node wrong?";
  default:
    return "is the receiver's CA of your own? then set notify.customCA and put it into ca.crt";
  }
}

Error tls_error(const SSL* ssl) {
  ERR_clear_error();
  const long verdict = SSL_get_verify_result(ssl);
  return {ErrorCode::unavailable,
          std::string("TLS: ") + (verdict == X509_V_OK ? "the handshake failed"
                                                       : X509_verify_cert_error_string(verdict)),
          advice_for(verdict)};
}

} // namespace

Patience::Patience(const std::stop_token& stop, std::chrono::milliseconds whole)
    : m_stop(stop), m_end(Clock::now() + whole), m_until(m_end),
      m_wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), m_on_stop(stop, [this] { wake(); }) {}

void Patience::narrow(std::chrono::milliseconds limit) {
  m_until = std::min(m_end, Clock::now() + limit);
}

void Patience::widen() {
  m_until = m_end;
}

void Patience::wake() const {
  const std::uint64_t one = 1;
  // It fails only where the counter is full, and then poll(2) returns.
  [[maybe_unused]] const ssize_t written = ::write(m_wake.get(), &one, sizeof one);
}

Status Patience::wait_for(int fd, short events) const {
  while (!m_stop.stop_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(m_until - Clock::now()).count();
    if (left <= 0) {
      return no_answer();
    }
    std::array<pollfd, 2> watched{{{fd, events, 0}, {m_wake.get(), POLLIN, 0}}};
    ::poll(watched.data(), watched.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (watched[0].revents != 0 && watched[1].revents == 0) {
      return {};
    }
  }
  return cancelled();
}

Result<std::vector<SocketAddress>>
look_up(const std::string& host, std::uint16_t port, const Patience& patience) {
  if (lookups().load() >= k_hanging_lookups_limit) {
    return Error{ErrorCode::unavailable, "the DNS has answered none of the last lookups", {}};
  }
  auto lookup = std::make_shared<Lookup>();
  ++lookups();
  try {
    std::thread([lookup, host, port] { ask(lookup, host, std::to_string(port)); }).detach();
  } catch (const std::system_error& failed) {
    --lookups();
    return system_error(failed.code().value(), "no thread can be started");
  }
  std::unique_lock lock(lookup->mutex);
  lookup->changed.wait_until(lock, patience.stop(), patience.until(), [&] { return lookup->done; });
  if (!lookup->done) {
    return patience.stop().stop_requested() ? cancelled()
                                            : Error{ErrorCode::timeout,
                                                    "the DNS does not answer",
                                                    "does the network policy let the DNS through?"};
  }
  if (lookup->code != 0 || lookup->found.empty()) {
    return Error{ErrorCode::unavailable,
                 std::string("the name has no address: ") + ::gai_strerror(lookup->code),
                 "is the name right, and does the network policy let the DNS through?"};
  }
  return std::move(lookup->found);
}

void Wire::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

void Wire::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<Wire> Wire::connect(const std::vector<SocketAddress>& addresses, Patience& patience) {
  const Patience::Time end = patience.until();
  const auto left = [&] {
    return std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  };
  Error last = broken(EHOSTUNREACH);
  std::size_t others = addresses.size();
  for (const SocketAddress& address : in_turn(addresses)) {
    patience.narrow(--others == 0 ? left() : left() / 2);
    auto socket = connect_to(address, patience);
    patience.narrow(left());
    if (socket) {
      return Wire(*std::move(socket));
    }
    last = std::move(socket).error();
    if (last.code == ErrorCode::cancelled) {
      return last;
    }
  }
  // Some networks refuse what a policy does not allow, and some drop it.
  last.message = "cannot connect: " + (last.code == ErrorCode::unavailable
                                           ? std::generic_category().message(last.system_errno)
                                           : last.message);
  last.hint = "is the receiver up, and does networkPolicy.notifyPorts name its port (of a Service "
              "in the cluster: the port of its pods)?";
  return last;
}

Status
Wire::start_tls(const std::string& host, const std::string& ca_file, const Patience& patience) {
  m_context.reset(SSL_CTX_new(TLS_client_method()));
  if (!m_context || SSL_CTX_load_verify_file(m_context.get(), ca_file.c_str()) != 1) {
    ERR_clear_error();
    return Error{ErrorCode::invalid_argument, ca_file + ": no PEM certificate of a CA in it", {}};
  }
  SSL_CTX_set_min_proto_version(m_context.get(), TLS1_2_VERSION);
  // What the operator calls a CA is one, also where another one signed it: an issuing CA alone is
  // what many hand out.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(m_context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_verify(m_context.get(), SSL_VERIFY_PEER, nullptr);
  m_ssl.reset(SSL_new(m_context.get()));
  if (!m_ssl || !expect(m_ssl.get(), host) || SSL_set_fd(m_ssl.get(), m_socket.get()) != 1) {
    ERR_clear_error();
    return Error{ErrorCode::internal, "TLS cannot be set up", {}};
  }
  while (true) {
    ERR_clear_error();
    const int result = SSL_connect(m_ssl.get());
    if (result == 1) {
      return {};
    }
    RB_TRY(tls_wait(result, patience));
  }
}

Status Wire::tls_wait(int result, const Patience& patience) {
  switch (SSL_get_error(m_ssl.get(), result)) {
  case SSL_ERROR_WANT_READ:
    return patience.wait_for(m_socket.get(), POLLIN);
  case SSL_ERROR_WANT_WRITE:
    return patience.wait_for(m_socket.get(), POLLOUT);
  default:
    return tls_error(m_ssl.get());
  }
}

Status Wire::write(ByteView bytes, const Patience& patience) {
  while (!bytes.empty()) {
    if (m_ssl) {
      ERR_clear_error();
      std::size_t written = 0;
      const int result = SSL_write_ex(m_ssl.get(), bytes.data(), bytes.size(), &written);
      if (result != 1) {
        RB_TRY(tls_wait(result, patience));
        continue;
      }
      bytes = bytes.subspan(written);
      continue;
    }
    const ssize_t sent = ::send(m_socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      RB_TRY(patience.wait_for(m_socket.get(), POLLOUT));
    } else if (errno != EINTR) {
      return broken(errno);
    }
  }
  return {};
}

Result<std::size_t> Wire::read(MutableByteView buffer, const Patience& patience) {
  while (true) {
    if (m_ssl) {
      ERR_clear_error();
      std::size_t got = 0;
      const int result = SSL_read_ex(m_ssl.get(), buffer.data(), buffer.size(), &got);
      if (result == 1) {
        return got;
      }
      const int why = SSL_get_error(m_ssl.get(), result);
      if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        RB_TRY(tls_wait(result, patience));
        continue;
      }
      ERR_clear_error();
      return std::size_t{0}; // closed, in order or not: what has come is all there is
    }
    const ssize_t got = ::recv(m_socket.get(), buffer.data(), buffer.size(), 0);
    if (got >= 0) {
      return static_cast<std::size_t>(got);
    }
    if (errno == EAGAIN) {
      RB_TRY(patience.wait_for(m_socket.get(), POLLIN));
    } else if (errno != EINTR) {
      return std::size_t{0};
    }
  }
}

} // namespace rb::notify

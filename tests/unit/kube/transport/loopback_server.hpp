// An HTTP server on 127.0.0.1 or [::1] that does what a test tells it, byte by byte: good, slow,
// broken.
#pragma once

#include <openssl/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace rb::kube::test {

/// One accepted connection. Used by its handler's thread.
class Peer {
public:
  Peer(int fd, SSL_CTX* tls);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  Peer(Peer&&) = delete;
  Peer& operator=(Peer&&) = delete;

  /// True when the TLS handshake is done, or there is none to do.
  bool handshake();
  /// The next request, headers and body; "" when the client has gone.
  std::string read_request();
  /// False when the client has gone.
  bool write(const std::string& bytes);
  /// One chunk of a chunked body.
  bool write_chunk(const std::string& bytes);
  /// Ends the connection with a RST instead of a FIN.
  void reset();
  /// Waits until the client closes, or the server goes.
  void wait_closed();

private:
  std::string read_some();

  int m_fd;
  SSL* m_ssl = nullptr;
};

/// PEM of a CA and of a server certificate that it signed.
struct TestCertificates {
  std::string ca;
  std::string certificate;
  std::string key;
};

/// Made anew, valid for a day. `names` as in a subjectAltName: "IP:127.0.0.1,DNS:localhost".
TestCertificates make_certificates(const std::string& names);

/// Runs `handler` for each connection on a thread of its own; ends all in the destructor.
class LoopbackServer {
public:
  using Handler = std::function<void(Peer&)>;

  enum class Family { ipv4, ipv6 };

  explicit LoopbackServer(Handler handler,
                          const TestCertificates* tls = nullptr,
                          Family family = Family::ipv4);
  ~LoopbackServer();
  LoopbackServer(const LoopbackServer&) = delete;
  LoopbackServer& operator=(const LoopbackServer&) = delete;
  LoopbackServer(LoopbackServer&&) = delete;
  LoopbackServer& operator=(LoopbackServer&&) = delete;

  int port() const { return m_port; }
  std::string url() const;
  int connections() const { return m_connections.load(); }

private:
  void accept_all(const std::stop_token& stop);

  /// False: it cannot be.
  bool bind_to_loopback();

  Handler m_handler;
  Family m_family;
  SSL_CTX* m_tls = nullptr;
  int m_listener = -1;
  int m_port = 0;
  std::atomic<int> m_connections{0};
  std::mutex m_mutex;
  std::vector<int> m_fds; ///< Guarded by m_mutex.
  std::vector<std::jthread> m_workers;
  std::jthread m_acceptor;
};

/// An HTTP/1.1 response with a length.
std::string response(int status, const std::string& body, const std::string& headers = {});

inline const std::string k_chunked_head =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
inline const std::string k_last_chunk = "0\r\n\r\n";

} // namespace rb::kube::test

#include "loopback_server.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <stdexcept>

namespace rb::kube::test {

namespace {

SSL_CTX* server_context(const TestCertificates& certificates);

} // namespace

Peer::Peer(int fd, SSL_CTX* tls) : m_fd(fd) {
  if (tls != nullptr) {
    m_ssl = SSL_new(tls);
    SSL_set_fd(m_ssl, m_fd);
  }
}

Peer::~Peer() {
  if (m_ssl != nullptr) {
    SSL_shutdown(m_ssl);
    SSL_free(m_ssl);
  }
}

bool Peer::handshake() {
  return m_ssl == nullptr || SSL_accept(m_ssl) == 1;
}

std::string Peer::read_some() {
  std::string buffer(4096, '\0');
  const auto got = m_ssl != nullptr ? static_cast<ssize_t>(SSL_read(m_ssl, buffer.data(), 4096))
                                    : ::recv(m_fd, buffer.data(), buffer.size(), 0);
  buffer.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return buffer;
}

std::string Peer::read_request() {
  std::string request;
  std::size_t wanted = std::string::npos;
  while (request.size() < wanted) {
    const std::string more = read_some();
    if (more.empty()) {
      return {};
    }
    request += more;
    const std::size_t head = request.find("\r\n\r\n");
    if (head != std::string::npos && wanted == std::string::npos) {
      const std::size_t at = request.find("Content-Length:");
      const std::size_t length = at < head ? std::stoul(request.substr(at + 15)) : 0;
      wanted = head + 4 + length;
    }
  }
  return request;
}

bool Peer::write(const std::string& bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto sent = m_ssl != nullptr
                          ? static_cast<ssize_t>(SSL_write(
                                m_ssl, bytes.data() + done, static_cast<int>(bytes.size() - done)))
                          : ::send(m_fd, bytes.data() + done, bytes.size() - done, MSG_NOSIGNAL);
    if (sent <= 0) {
      return false;
    }
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

bool Peer::write_chunk(const std::string& bytes) {
  char size[32];
  std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
  return write(size + bytes + "\r\n");
}

void Peer::reset() {
  const linger now{1, 0};
  ::setsockopt(m_fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void Peer::wait_closed() {
  while (!read_some().empty()) {
  }
}

LoopbackServer::LoopbackServer(Handler handler, const TestCertificates* tls, Family family)
    : m_handler(std::move(handler)), m_family(family) {
  std::signal(SIGPIPE, SIG_IGN); // SSL_write
  if (tls != nullptr) {
    m_tls = server_context(*tls);
  }
  if (!bind_to_loopback()) {
    throw std::runtime_error("loopback server");
  }
  m_acceptor = std::jthread([this](const std::stop_token& stop) { accept_all(stop); });
}

bool LoopbackServer::bind_to_loopback() {
  const bool six = m_family == Family::ipv6;
  sockaddr_in ipv4{};
  ipv4.sin_family = AF_INET;
  ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 ipv6{};
  ipv6.sin6_family = AF_INET6;
  ipv6.sin6_addr = in6addr_loopback;
  auto length = static_cast<socklen_t>(six ? sizeof ipv6 : sizeof ipv4);
  auto* generic = six ? reinterpret_cast<sockaddr*>(&ipv6) : reinterpret_cast<sockaddr*>(&ipv4);
  m_listener = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (m_listener < 0 || ::bind(m_listener, generic, length) != 0 || ::listen(m_listener, 16) != 0 ||
      ::getsockname(m_listener, generic, &length) != 0) {
    return false;
  }
  m_port = ntohs(six ? ipv6.sin6_port : ipv4.sin_port);
  return true;
}

LoopbackServer::~LoopbackServer() {
  m_acceptor.request_stop();
  m_acceptor.join();
  {
    const std::lock_guard lock(m_mutex);
    for (const int fd : m_fds) {
      ::shutdown(fd, SHUT_RDWR);
    }
  }
  m_workers.clear();
  ::close(m_listener);
  SSL_CTX_free(m_tls);
}

void LoopbackServer::accept_all(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd waiting{m_listener, POLLIN, 0};
    if (::poll(&waiting, 1, 20) <= 0) {
      continue;
    }
    const int fd = ::accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) {
      continue;
    }
    ++m_connections;
    const std::lock_guard lock(m_mutex);
    m_fds.push_back(fd);
    m_workers.emplace_back([this, fd] {
      {
        Peer peer(fd, m_tls);
        if (peer.handshake()) {
          m_handler(peer);
        }
      }
      const std::lock_guard closing(m_mutex);
      std::erase(m_fds, fd);
      ::close(fd);
    });
  }
}

std::string LoopbackServer::url() const {
  return std::string(m_tls != nullptr ? "https://" : "http://") +
         (m_family == Family::ipv6 ? "[::1]:" : "127.0.0.1:") + std::to_string(m_port);
}

std::string response(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) + " Text\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

namespace {

SSL_CTX* server_context(const TestCertificates& certificates) {
  SSL_CTX* context = SSL_CTX_new(TLS_server_method());
  BIO* certificate = BIO_new_mem_buf(certificates.certificate.data(), -1);
  BIO* key = BIO_new_mem_buf(certificates.key.data(), -1);
  X509* x509 = PEM_read_bio_X509(certificate, nullptr, nullptr, nullptr);
  EVP_PKEY* private_key = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
  const bool ok = SSL_CTX_use_certificate(context, x509) == 1 &&
                  SSL_CTX_use_PrivateKey(context, private_key) == 1;
  EVP_PKEY_free(private_key);
  X509_free(x509);
  BIO_free(key);
  BIO_free(certificate);
  if (!ok) {
    throw std::runtime_error("loopback server: certificates");
  }
  return context;
}

} // namespace

} // namespace rb::kube::test

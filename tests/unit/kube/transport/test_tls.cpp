#include "../temp_dir.hpp"
#include "support.hpp"
#include "support/ipv6.hpp"

#include "kube/exchange.hpp"

#include <doctest/doctest.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;

namespace {

const TestCertificates& for_loopback() {
  static const TestCertificates made = make_certificates("IP:127.0.0.1,DNS:kubernetes");
  return made;
}

ClientConfig config_for(const LoopbackServer& server, const std::string& ca) {
  ClientConfig config;
  config.server = server.url();
  config.ca.bytes = SecretBytes(as_bytes(ca));
  return config;
}

/// Of the socket of this process that is connected to the port; 0: it has none, or does not ask.
int keep_alive_idle_of_connection_to(int port) {
  for (int fd = 0; fd < 1024; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    int on = 0;
    socklen_t on_size = sizeof on;
    int idle = 0;
    socklen_t idle_size = sizeof idle;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        peer.sin_family == AF_INET && ntohs(peer.sin_port) == port &&
        ::getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, &on_size) == 0 && on == 1 &&
        ::getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, &idle_size) == 0) {
      return idle;
    }
  }
  return 0;
}

Result<Response> ask(ClientConfig config) {
  return connect(std::move(config))->send(get("/x"), {});
}

} // namespace

TEST_CASE("a server with a certificate of our CA, for its address, is trusted") {
  const LoopbackServer server(always(response(200, "{}")), &for_loopback());
  CHECK(ask(config_for(server, for_loopback().ca)).value().status == 200);
}

TEST_CASE("a connection is asked whether it lives, when nothing is said") {
  const LoopbackServer server(
      [](Peer& peer) {
        peer.read_request();
        peer.write(k_chunked_head);
        peer.write_chunk("{}\n");
        peer.wait_closed();
      },
      &for_loopback());
  const auto transport = connect(config_for(server, for_loopback().ca));
  int idle = 0;
  const auto look = [&](std::string_view) {
    idle = keep_alive_idle_of_connection_to(server.port());
    return false;
  };
  CHECK(transport->stream(get("/watch"), look, {}).value().ended_by_sink);
  CHECK(idle == k_alive_idle_seconds);
}

TEST_CASE("a CA that cannot be read takes none behind it along, as in kubectl") {
  const LoopbackServer server(always(response(200, "{}")), &for_loopback());
  const std::string& good = for_loopback().ca;
  const std::string begin = "-----BEGIN CERTIFICATE-----\n";
  const std::string end = "-----END CERTIFICATE-----\n";
  for (const std::string& bad :
       {begin + "bm9uc2Vuc2U=\n" + end, // no ASN.1
        begin + "no base64 at all!\n" + end,
        begin + end,
        std::string("-----BEGIN X509 CRL-----\nbm8=\n-----END X509 CRL-----\n"),
        std::string("# of last year\n")}) {
    CAPTURE(bad);
    CHECK(ask(config_for(server, bad + good)).value().status == 200);
    CHECK(ask(config_for(server, good + bad)).value().status == 200);
    CHECK_FALSE(ask(config_for(server, bad)));
  }
}

TEST_CASE("a certificate of another CA is refused, with the reason and what was expected") {
  const LoopbackServer server(always(response(200, "{}")), &for_loopback());
  const auto refused = ask(config_for(server, make_certificates("IP:127.0.0.1").ca));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().system_errno == EPROTO);
  CHECK(refused.error().message.find(": TLS: ") != std::string::npos);
  CHECK(refused.error().message.find("certificate") != std::string::npos);
  CHECK(refused.error().hint.find("the CA in the kubeconfig") != std::string::npos);
  CHECK(refused.error().message.find("Unknown error") == std::string::npos);
}

TEST_CASE("what was given as a CA is one, also without the root above it") {
  const LoopbackServer server(always(response(200, "{}")), &for_loopback());
  CHECK(ask(config_for(server, for_loopback().certificate)).value().status == 200);
  const TestCertificates other = make_certificates("DNS:somebody.else");
  const LoopbackServer misnamed(always(response(200, "{}")), &other);
  CHECK(ask(config_for(misnamed, other.certificate)).error().system_errno == EPROTO);
}

TEST_CASE("without a CA only the system's are trusted, not any") {
  const LoopbackServer server(always(response(200, "{}")), &for_loopback());
  ClientConfig config;
  config.server = server.url();
  CHECK(ask(std::move(config)).error().system_errno == EPROTO);
}

TEST_CASE("a certificate for another name is refused") {
  const TestCertificates other = make_certificates("DNS:somebody.else");
  const LoopbackServer server(always(response(200, "{}")), &other);
  const auto refused = ask(config_for(server, other.ca));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == server.url() + ": TLS: the certificate is for another name");
  CHECK(refused.error().hint.find("\"127.0.0.1\"") != std::string::npos);
}

TEST_CASE("tls-server-name says which name the certificate must have") {
  const TestCertificates named = make_certificates("DNS:kubernetes");
  const LoopbackServer server(always(response(200, "{}")), &named);
  ClientConfig config = config_for(server, named.ca);
  config.tls_server_name = "kubernetes";
  CHECK(ask(std::move(config)).value().status == 200);
}

TEST_CASE("the certificate of a server at an address of IPv6 must be for that address") {
  if (!rb::test::resolves_ipv6()) {
    MESSAGE("NOT RUN: this machine has no network with IPv6");
    return;
  }
  const TestCertificates own = make_certificates("IP:::1");
  const LoopbackServer server(always(response(200, "{}")), &own, LoopbackServer::Family::ipv6);
  CHECK(ask(config_for(server, own.ca)).value().status == 200);

  const TestCertificates other = make_certificates("IP:fd00::1,IP:127.0.0.1,DNS:kubernetes");
  const LoopbackServer stranger(always(response(200, "{}")), &other, LoopbackServer::Family::ipv6);
  const auto refused = ask(config_for(stranger, other.ca));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == stranger.url() + ": TLS: the certificate is for another name");
  CHECK(refused.error().hint.find("\"::1\"") != std::string::npos);
  ClientConfig named = config_for(stranger, other.ca);
  named.tls_server_name = "kubernetes";
  CHECK(ask(std::move(named)).value().status == 200);
}

TEST_CASE("tls-server-name that is not in the certificate is refused, and so is part of one") {
  const TestCertificates named = make_certificates("DNS:kubernetes.default,IP:127.0.0.1");
  const LoopbackServer server(always(response(200, "{}")), &named);
  for (const char* const name : {"kubernetes", "default", "10.0.0.1", "kubernetes.default.svc"}) {
    CAPTURE(name);
    ClientConfig config = config_for(server, named.ca);
    config.tls_server_name = name;
    CHECK(ask(std::move(config)).error().message ==
          server.url() + ": TLS: the certificate is for another name");
  }
}

TEST_CASE("a CA file is read again for each connection: a rotation is seen") {
  const TempDir dir;
  const LoopbackServer server(
      [](Peer& peer) {
        if (!peer.read_request().empty()) {
          peer.write(response(200, "{}", "Connection: close\r\n"));
        }
      },
      &for_loopback());
  ClientConfig config;
  config.server = server.url();
  config.ca.path = dir.write("ca.crt", make_certificates("IP:127.0.0.1").ca);
  const auto transport = connect(std::move(config));
  const auto refused = transport->send(get("/x"), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().hint.find(dir.path() + "/ca.crt") != std::string::npos);
  dir.write("ca.crt", for_loopback().ca);
  CHECK(transport->send(get("/x"), {}).value().status == 200);
}

TEST_CASE("CA, certificate or key that cannot be used are told by their file") {
  const TempDir dir;
  const LoopbackServer server(always(response(200, "{}")), &for_loopback());
  const auto message = [&](const std::string& ca, const std::string& cert, const std::string& key) {
    ClientConfig config;
    config.server = server.url();
    config.ca.path = dir.write("ca.crt", ca);
    config.client_certificate.path = dir.write("client.crt", cert);
    config.client_key.path = dir.write("client.key", key);
    const auto refused = ask(std::move(config));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    return refused.error().message;
  };
  const TestCertificates& good = for_loopback();
  CHECK(message("rubbish", good.certificate, good.key)
            .ends_with(dir.path() + "/ca.crt: no PEM certificate in it"));
  CHECK(message(good.ca, "rubbish", good.key)
            .ends_with(dir.path() + "/client.crt: no PEM certificate in it"));
  CHECK(message(good.ca, good.certificate, "rubbish")
            .ends_with(dir.path() + "/client.key: no PEM private key in it"));
  CHECK(message(good.ca, good.certificate, make_certificates("DNS:x").key)
            .ends_with(dir.path() + "/client.key: the key does not belong to the certificate"));
}

TEST_CASE("a server that speaks no TLS is told as such") {
  const LoopbackServer server(
      [](Peer& peer) { peer.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"); });
  ClientConfig config;
  config.server = "https://127.0.0.1:" + std::to_string(server.port());
  const auto refused = ask(std::move(config));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("TLS: the handshake failed") != std::string::npos);
}

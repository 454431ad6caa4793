// A message on its way to a receiver that is good, slow, absent, broken, or up to something.
#include "notify/delivery.hpp"
#include "support/scratch.hpp"
#include "unit/kube/transport/loopback_server.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>

using namespace rb;
using namespace rb::notify;
using namespace std::chrono_literals;
using kube::test::LoopbackServer;
using kube::test::make_certificates;
using kube::test::Peer;
using kube::test::response;
using kube::test::TestCertificates;

namespace {

constexpr const char* k_secret = "/s3cr3t-path";
constexpr const char* k_token = "t0ken-of-somebody";

const TestCertificates& certificates() {
  static const TestCertificates made = make_certificates("IP:127.0.0.1,DNS:localhost");
  return made;
}

/// The mounted Secret, and what stands in it.
class Mounted {
public:
  explicit Mounted(const std::string& base) {
    m_directory.write(k_dead_man_url_key, base + k_secret + "\n");
    m_directory.write(k_webhook_url_key, base + k_secret + "\n");
    m_directory.write(k_webhook_token_key, std::string(k_token) + "\n");
    m_directory.write("ca.crt", certificates().ca);
    settings.secret_dir = m_directory.path();
    settings.ca_file = m_directory.path("ca.crt");
    settings.plain_http = PlainHttp::allowed;
  }
  [[nodiscard]] const test::Scratch& directory() const { return m_directory; }

  ReceiverSettings settings;

private:
  test::Scratch m_directory;
};

Message problem() {
  Message message;
  message.kind = MessageKind::problem;
  message.topic = "run";
  message.title = "backup failed";
  message.text = "because";
  return message;
}

Status tell(const Mounted& mounted, const std::stop_token& stop = {}) {
  return WebhookDelivery(mounted.settings, WebhookFormat::json, {}).deliver(problem(), stop);
}

Status ping(const Mounted& mounted) {
  return DeadManDelivery(mounted.settings).deliver(problem(), {});
}

/// Whatever went wrong: nothing of the address but the host, and nothing of the token.
const Error& discreet(const Status& status) {
  REQUIRE_FALSE(status);
  const std::string text = status.error().text();
  CAPTURE(text);
  CHECK(text.find("s3cr3t") == std::string::npos);
  CHECK(text.find("t0ken") == std::string::npos);
  CHECK(text.find("because") == std::string::npos);
  return status.error();
}

LoopbackServer::Handler answering(const std::string& text) {
  return [text](Peer& peer) {
    if (!peer.read_request().empty()) {
      peer.write(text);
      peer.wait_closed();
    }
  };
}

std::chrono::milliseconds time_of(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

/// A receiver that keeps the last request.
struct Keeper {
  std::mutex mutex;
  std::string last;
  LoopbackServer server;
  explicit Keeper(const TestCertificates* tls = nullptr)
      : server(
            [this](Peer& peer) {
              const std::string request = peer.read_request();
              {
                const std::lock_guard lock(mutex);
                last = request;
              }
              peer.write(response(200, "ok"));
              peer.wait_closed();
            },
            tls) {}
  std::string request() {
    const std::lock_guard lock(mutex);
    return last;
  }
};

} // namespace

TEST_CASE("a webhook gets the message, the token, and nothing that leads anywhere else") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  REQUIRE(tell(mounted));
  const std::string request = keeper.request();
  CHECK(request.starts_with("POST /s3cr3t-path HTTP/1.1\r\nHost: 127.0.0.1:"));
  CHECK(request.find("\r\nAuthorization: Bearer t0ken-of-somebody\r\n") != std::string::npos);
  CHECK(request.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(request.find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(request.find("\"message\":\"because\"") != std::string::npos);
}

TEST_CASE("a dead-man check gets the reason as body, and never the token") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  REQUIRE(ping(mounted));
  CHECK(keeper.request().starts_with("POST /s3cr3t-path/fail HTTP/1.1\r\n"));
  CHECK(keeper.request().ends_with("\r\n\r\nbackup failed\nbecause\n"));
  CHECK(keeper.request().find("t0ken") == std::string::npos);

  Message success = problem();
  success.kind = MessageKind::succeeded;
  REQUIRE(DeadManDelivery(mounted.settings).deliver(success, {}));
  CHECK(keeper.request().starts_with("GET /s3cr3t-path HTTP/1.1\r\n"));
  CHECK(keeper.request().find("Content-Length") == std::string::npos);
}

TEST_CASE("a Secret without a token, and one that changes, are taken as they are") {
  Keeper keeper;
  const Mounted mounted(keeper.server.url());
  std::filesystem::remove(mounted.directory().path(k_webhook_token_key));
  REQUIRE(tell(mounted));
  CHECK(keeper.request().find("Authorization") == std::string::npos);
  mounted.directory().write(k_webhook_token_key, "another");
  REQUIRE(tell(mounted));
  CHECK(keeper.request().find("Authorization: Bearer another\r\n") != std::string::npos);
  mounted.directory().write(k_webhook_token_key, "two\r\nX-Evil: lines");
  CHECK(discreet(tell(mounted)).code == ErrorCode::invalid_argument);
}

TEST_CASE("a Secret that is not there is said by the name of the key") {
  Mounted mounted("http://127.0.0.1:1");
  mounted.settings.secret_dir += "/absent";
  const Error error = discreet(tell(mounted));
  CHECK(error.code == ErrorCode::not_found);
  CHECK(error.message == "the key webhook-url of the Secret cannot be read");
  CHECK(error.hint.find("notify.existingSecret") != std::string::npos);
  CHECK(discreet(ping(mounted)).message.find("dead-man-url") != std::string::npos);
}

TEST_CASE("over TLS, with a certificate of the given CA for that name and no other") {
  Keeper keeper(&certificates());
  const Mounted mounted(keeper.server.url());
  CHECK(tell(mounted));
  CHECK(keeper.request().starts_with("POST "));

  SUBCASE("by name") {
    const Mounted named("https://localhost:" + std::to_string(keeper.server.port()));
    CHECK(tell(named));
  }
  SUBCASE("another CA") {
    mounted.directory().write("ca.crt", make_certificates("IP:127.0.0.1").ca);
    const Error error = discreet(tell(mounted));
    CHECK(error.code == ErrorCode::unavailable);
    CHECK(error.message.find(": TLS: ") != std::string::npos);
    CHECK(error.hint.find("notify.customCA") != std::string::npos);
  }
  SUBCASE("no CA") {
    mounted.directory().write("ca.crt", "nothing");
    CHECK(discreet(tell(mounted)).code == ErrorCode::invalid_argument);
  }
}

TEST_CASE("a certificate for another name is refused before anything secret is sent") {
  const TestCertificates other = make_certificates("DNS:somebody.else");
  Keeper keeper(&other);
  const Mounted mounted(keeper.server.url());
  mounted.directory().write("ca.crt", other.ca);
  CHECK(discreet(tell(mounted)).message.find("TLS") != std::string::npos);
  CHECK(keeper.request().empty());
}

TEST_CASE("a receiver that speaks plainly where TLS is expected gets nothing") {
  Keeper keeper;
  const Mounted mounted("https://127.0.0.1:" + std::to_string(keeper.server.port()));
  const LoopbackServer noisy([](Peer& peer) { peer.write("220 hello\r\n"); });
  const Mounted other("https://127.0.0.1:" + std::to_string(noisy.port()));
  CHECK(discreet(tell(other)).code == ErrorCode::unavailable);
}

TEST_CASE("a redirect is not followed, to another host least of all") {
  Keeper elsewhere;
  for (const int status : {301, 302, 303, 307, 308}) {
    const LoopbackServer server(
        answering(response(status, "", "Location: " + elsewhere.server.url() + "/x\r\n")));
    const Error error = discreet(tell(Mounted(server.url())));
    CHECK(error.code == ErrorCode::unsupported);
    CHECK(error.http_status == status);
    CHECK(error.message.find("not followed") != std::string::npos);
    CHECK(server.connections() == 1);
  }
  CHECK(elsewhere.server.connections() == 0);
}

TEST_CASE("what a receiver refuses is told by its status") {
  const auto code = [](int status) {
    const LoopbackServer server(answering(response(status, "no")));
    return discreet(tell(Mounted(server.url()))).code;
  };
  CHECK(code(500) == ErrorCode::unavailable);
  CHECK(code(503) == ErrorCode::unavailable);
  CHECK(code(429) == ErrorCode::throttled);
  CHECK(code(404) == ErrorCode::not_found);
  CHECK(code(403) == ErrorCode::permission_denied);
  CHECK(verdict_of(204));
}

TEST_CASE("an announcement (1xx) is no answer yet") {
  const LoopbackServer server(
      answering("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + response(201, "")));
  CHECK(tell(Mounted(server.url())));
  const LoopbackServer endless([](Peer& peer) {
    static_cast<void>(peer.read_request());
    while (peer.write("HTTP/1.1 100 Continue\r\n\r\n")) {
    }
  });
  CHECK(discreet(tell(Mounted(endless.url()))).code == ErrorCode::corrupt);
}

TEST_CASE("nobody there, and a name that is none") {
  int free_port = 0;
  {
    const LoopbackServer gone(answering(""));
    free_port = gone.port();
  }
  const Error absent = discreet(tell(Mounted("http://127.0.0.1:" + std::to_string(free_port))));
  CHECK(absent.code == ErrorCode::unavailable);
  CHECK(absent.message.find("cannot connect") != std::string::npos);
  CHECK(absent.hint.find("networkPolicy.notifyPorts") != std::string::npos);

  const Error nameless = discreet(tell(Mounted("http://nowhere.invalid"))); // RFC 6761
  CHECK((nameless.code == ErrorCode::unavailable || nameless.code == ErrorCode::timeout));
  CHECK(nameless.message.starts_with("nowhere.invalid: "));
}

TEST_CASE("a receiver that says nothing, or a byte at a time, is given up in time") {
  const LoopbackServer silent([](Peer& peer) { peer.wait_closed(); });
  const LoopbackServer dripping([](Peer& peer) {
    static_cast<void>(peer.read_request());
    for (const char c : std::string("HTTP/1.1 200 all is well in the end")) {
      if (!peer.write(std::string(1, c))) {
        return;
      }
      std::this_thread::sleep_for(50ms);
    }
  });
  const LoopbackServer no_handshake([](Peer& peer) { peer.wait_closed(); });
  for (const std::string& url :
       {silent.url(), dripping.url(), "https://127.0.0.1:" + std::to_string(no_handshake.port())}) {
    CAPTURE(url);
    Mounted mounted(url);
    mounted.settings.limits = {400ms, 400ms, 400ms};
    const auto took = time_of([&] { CHECK(discreet(tell(mounted)).code == ErrorCode::timeout); });
    CHECK(took >= 350ms);
    CHECK(took < 3s);
  }
}

TEST_CASE("a receiver that closes before its first line, or resets, has not got it") {
  const LoopbackServer closes([](Peer& peer) {
    static_cast<void>(peer.read_request());
    peer.write("HTTP/1.1 20");
  });
  CHECK(discreet(tell(Mounted(closes.url()))).code == ErrorCode::unavailable);
  const LoopbackServer resets([](Peer& peer) { peer.reset(); });
  CHECK(discreet(tell(Mounted(resets.url()))).code == ErrorCode::unavailable);
}

TEST_CASE("a receiver that said 200 and then closes, or sends megabytes, has got it") {
  const LoopbackServer closes([](Peer& peer) {
    static_cast<void>(peer.read_request());
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal");
  });
  CHECK(tell(Mounted(closes.url())));
  std::atomic<std::size_t> sent{0};
  const LoopbackServer floods([&](Peer& peer) {
    static_cast<void>(peer.read_request());
    bool more = peer.write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string piece(65536, 'x');
    while (more && sent < (std::size_t{512} << 20U)) {
      more = peer.write(piece);
      sent += more ? piece.size() : 0;
    }
  });
  CHECK(tell(Mounted(floods.url())));
  std::this_thread::sleep_for(50ms);
  CHECK(sent < (std::size_t{64} << 20U)); // what the kernel's buffers take
}

TEST_CASE("a first line or a head without an end is given up after 16 KiB, and is no HTTP") {
  std::atomic<std::size_t> sent{0};
  const auto flood = [&](const std::string& begin) {
    return [&, begin](Peer& peer) {
      static_cast<void>(peer.read_request());
      const std::string piece(16384, 'x');
      bool more = peer.write(begin);
      while (more && sent < (std::size_t{512} << 20U)) {
        more = peer.write(piece);
        sent += piece.size();
      }
    };
  };
  for (const char* begin : {"HTTP/1.1 200", "HTTP/1.1 103 Hints\r\nX: ", "SSH-2.0-x\r\n", ""}) {
    CAPTURE(begin);
    const LoopbackServer server(flood(begin));
    CHECK(discreet(tell(Mounted(server.url()))).code == ErrorCode::corrupt);
  }
  CHECK(sent < (std::size_t{256} << 20U));
}

TEST_CASE("whoever is told to stop stops at once") {
  const LoopbackServer silent([](Peer& peer) { peer.wait_closed(); });
  const Mounted mounted(silent.url());
  std::stop_source stop;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const auto took = time_of(
      [&] { CHECK(discreet(tell(mounted, stop.get_token())).code == ErrorCode::cancelled); });
  CHECK(took < 2s);
  const auto again = time_of(
      [&] { CHECK(discreet(tell(mounted, stop.get_token())).code == ErrorCode::cancelled); });
  CHECK(again < 1s);
}

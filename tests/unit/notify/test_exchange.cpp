// One request to a receiver that is good, slow, absent, broken, or up to something.
#include "notify/exchange.hpp"
#include "receiver.hpp"
#include "support/scratch.hpp"

#include <doctest/doctest.h>

#include <atomic>

using namespace rb;
using namespace rb::notify;
using namespace std::chrono_literals;
using kube::test::LoopbackServer;
using kube::test::make_certificates;
using kube::test::Peer;
using kube::test::response;
using kube::test::TestCertificates;
using test::answering;
using test::Keeper;

namespace {

const TestCertificates& certificates() {
  static const TestCertificates made = make_certificates("IP:127.0.0.1,DNS:localhost");
  return made;
}

HttpRequest request() {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "text/plain"}, {"X-Topic", "run"}};
  request.bearer_token = "t0ken-of-somebody";
  request.body = "because";
  return request;
}

/// Who asks: with the CA of certificates(), unless a test writes another one.
struct Asker {
  test::Scratch scratch;
  ExchangeLimits limits;
  std::stop_source stop;

  Asker() { write_ca(certificates().ca); }
  void write_ca(const std::string& pem) const { scratch.write("ca.crt", pem); }

  [[nodiscard]] Result<HttpAnswer> answer(const std::string& base, const HttpRequest& what) {
    const auto url = parse_url(base + "/s3cr3t-path?key=s3cr3t", PlainHttp::allowed);
    REQUIRE(url);
    return exchange(*url, what, scratch.path("ca.crt"), stop.get_token(), limits);
  }

  /// The status of the answer.
  [[nodiscard]] Result<int> ask(const std::string& base, const HttpRequest& what = request()) {
    const auto got = answer(base, what);
    return got ? Result<int>(got->status) : Result<int>(got.error());
  }

  /// Whatever goes wrong: the host is named, and nothing of the address, the token and the body.
  [[nodiscard]] Error fail(const std::string& base) {
    const auto status = ask(base);
    REQUIRE_FALSE(status);
    const std::string text = status.error().text();
    CAPTURE(text);
    const std::string authority = base.substr(base.find("//") + 2);
    CHECK(status.error().message.starts_with(authority + ": "));
    for (const char* const secret : {"s3cr3t", "t0ken", "because"}) {
      CHECK(text.find(secret) == std::string::npos);
    }
    return status.error();
  }
};

std::string over_tls(const LoopbackServer& server, const std::string& host = "127.0.0.1") {
  return "https://" + host + ":" + std::to_string(server.port());
}

std::chrono::milliseconds time_of(const std::function<void()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               begin);
}

} // namespace

TEST_CASE("the request, byte by byte, and the status of the answer") {
  Keeper keeper;
  Asker asker;
  CHECK(asker.ask(keeper.server.url()).value() == 200);
  CHECK(keeper.request() == "POST /s3cr3t-path?key=s3cr3t HTTP/1.1\r\nHost: 127.0.0.1:" +
                                std::to_string(keeper.server.port()) +
                                "\r\nUser-Agent: railiance-backup/" RB_VERSION "\r\n"
                                "Accept: */*\r\nConnection: close\r\nContent-Type: text/plain\r\n"
                                "X-Topic: run\r\nAuthorization: Bearer t0ken-of-somebody\r\n"
                                "Content-Length: 7\r\n\r\nbecause");

  HttpRequest bare;
  bare.method = "GET";
  CHECK(asker.ask(keeper.server.url(), bare).value() == 200);
  CHECK(keeper.request().ends_with("Connection: close\r\n\r\n"));
  bare.method = "POST"; // without a body it has a length, too
  CHECK(asker.ask(keeper.server.url(), bare).value() == 200);
  CHECK(keeper.request().ends_with("Connection: close\r\nContent-Length: 0\r\n\r\n"));
}

TEST_CASE("any status is an answer, and none is followed anywhere") {
  Keeper elsewhere;
  for (const int status : {200, 204, 301, 307, 401, 429, 503, 599}) {
    CAPTURE(status);
    const LoopbackServer server(
        answering(response(status, "no", "Location: " + elsewhere.server.url() + "/x\r\n")));
    CHECK(Asker().ask(server.url()).value() == status);
    CHECK(server.connections() == 1);
  }
  CHECK(elsewhere.server.connections() == 0);
}

TEST_CASE("over TLS, with a certificate of the given CA for that name and no other") {
  Keeper keeper(&certificates());
  Asker asker;
  CHECK(asker.ask(over_tls(keeper.server)).value() == 200);
  CHECK(keeper.request().starts_with("POST "));
  CHECK(asker.ask(over_tls(keeper.server, "localhost")).value() == 200);

  asker.write_ca(make_certificates("IP:127.0.0.1").ca);
  const Error stranger = asker.fail(over_tls(keeper.server));
  CHECK(stranger.code == ErrorCode::unavailable);
  CHECK(stranger.message.find(": TLS: ") != std::string::npos);
  CHECK(stranger.hint.find("notify.customCA") != std::string::npos);

  // A CA that another one signed, without that one: what it signed will do.
  asker.write_ca(certificates().certificate);
  CHECK(asker.ask(over_tls(keeper.server)).value() == 200);

  asker.write_ca("nothing");
  CHECK(asker.fail(over_tls(keeper.server)).code == ErrorCode::invalid_argument);
}

TEST_CASE("a certificate for another name is refused before anything secret is sent") {
  const TestCertificates other = make_certificates("DNS:somebody.else");
  Keeper keeper(&other);
  Asker asker;
  asker.write_ca(other.ca);
  const Error error = asker.fail(over_tls(keeper.server));
  CHECK(error.message.find("TLS") != std::string::npos);
  CHECK(error.hint.find("customCA") == std::string::npos); // it is the name
  CHECK(error.hint.find("search domain") != std::string::npos);
  CHECK(keeper.request().empty());
}

TEST_CASE("a receiver that speaks plainly where TLS is expected gets nothing") {
  const LoopbackServer noisy([](Peer& peer) { peer.write("220 hello\r\n"); });
  CHECK(Asker().fail(over_tls(noisy)).code == ErrorCode::unavailable);
}

TEST_CASE("an announcement (1xx) is no answer yet") {
  const std::string hints = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";
  const LoopbackServer server(answering(hints + hints + response(201, "")));
  CHECK(Asker().ask(server.url()).value() == 201);
  const LoopbackServer slow([&](Peer& peer) { // cut up in every place
    static_cast<void>(peer.read_request());
    for (const char c : hints + "HTTP/1.1 202 OK\r\n") {
      peer.write(std::string(1, c));
      std::this_thread::sleep_for(1ms);
    }
    peer.wait_closed();
  });
  CHECK(Asker().ask(slow.url()).value() == 202);
  const LoopbackServer endless([](Peer& peer) {
    static_cast<void>(peer.read_request());
    while (peer.write("HTTP/1.1 100 Continue\r\n\r\n")) {
    }
  });
  CHECK(Asker().fail(endless.url()).code == ErrorCode::corrupt);
}

TEST_CASE("a first line that is none of HTTP/1 is no answer") {
  for (const char* const line : {"HTTP/2 200\r\n",
                                 "HTTP/1.1\r\n",
                                 "HTTP/1.1 20\r\n",
                                 "HTTP/1.1 2x0 OK\r\n",
                                 "HTTP/1.1 -20 OK\r\n",
                                 "HTTP/1.1 099 OK\r\n",
                                 "http/1.1 200 OK\r\n",
                                 " HTTP/1.1 200 OK\r\n",
                                 "\r\nHTTP/1.1 200 OK\r\n",
                                 "200 OK\r\n"}) {
    CAPTURE(line);
    const LoopbackServer server(answering(line));
    CHECK(Asker().fail(server.url()).code == ErrorCode::corrupt);
  }
}

TEST_CASE("nobody there, and a name that is none") {
  int free_port = 0;
  {
    const LoopbackServer gone(answering(""));
    free_port = gone.port();
  }
  const Error absent = Asker().fail("http://127.0.0.1:" + std::to_string(free_port));
  CHECK(absent.code == ErrorCode::unavailable);
  CHECK(absent.message.find("cannot connect") != std::string::npos);
  CHECK(absent.hint.find("networkPolicy.notifyPorts") != std::string::npos);

  const Error nameless = Asker().fail("http://nowhere.invalid"); // RFC 6761
  CHECK((nameless.code == ErrorCode::unavailable || nameless.code == ErrorCode::timeout));
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
  for (const std::string& url : {silent.url(), dripping.url(), over_tls(silent)}) {
    CAPTURE(url);
    Asker asker;
    asker.limits = {400ms, 400ms, 400ms};
    const auto took = time_of([&] { CHECK(asker.fail(url).code == ErrorCode::timeout); });
    CHECK(took >= 350ms);
    CHECK(took < 3s);
  }
}

TEST_CASE("the words behind a status of 2xx are read as far as they count, and of no other") {
  const auto words = [](const std::string& answer) {
    const LoopbackServer server(answering(answer));
    return Asker().answer(server.url(), request()).value().body;
  };
  CHECK(words(response(200, "OK (not found)")) == "OK (not found)");
  CHECK(words("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n")
            .find("OK") != std::string::npos);
  CHECK(words("HTTP/1.0 200 OK\r\n\r\nuntil I close") == "until I close");
  CHECK(words("HTTP/1.1 204 No Content\r\n\r\n").empty());
  CHECK(words(response(200, std::string(100'000, 'x'))).size() == 1024);
  CHECK(words(response(404, "not found")).empty());
}

TEST_CASE("words that never come keep nobody: the status is there") {
  const LoopbackServer server([](Peer& peer) {
    static_cast<void>(peer.read_request());
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal");
    peer.wait_closed();
  });
  Asker asker;
  asker.limits.words = 200ms;
  CHECK(time_of([&] { CHECK(asker.ask(server.url()).value() == 200); }) < 2s);
}

TEST_CASE("a receiver that closes before its first line, or resets, has not got it") {
  const LoopbackServer closes([](Peer& peer) {
    static_cast<void>(peer.read_request());
    peer.write("HTTP/1.1 20");
  });
  CHECK(Asker().fail(closes.url()).code == ErrorCode::unavailable);
  const LoopbackServer resets([](Peer& peer) { peer.reset(); });
  CHECK(Asker().fail(resets.url()).code == ErrorCode::unavailable);
}

TEST_CASE("a receiver that said 200 and then closes, or sends megabytes, has got it") {
  const LoopbackServer closes([](Peer& peer) {
    static_cast<void>(peer.read_request());
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhal");
  });
  CHECK(Asker().ask(closes.url()).value() == 200);
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
  CHECK(Asker().ask(floods.url()).value() == 200);
  std::this_thread::sleep_for(50ms);
  CHECK(sent < (std::size_t{64} << 20U)); // what the kernel's buffers take
}

TEST_CASE("a first line or a head without an end is given up after 16 KiB, and no HTTP") {
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
    CHECK(Asker().fail(server.url()).code == ErrorCode::corrupt);
  }
  CHECK(sent < (std::size_t{256} << 20U));
}

TEST_CASE("whoever is told to stop stops at once") {
  const LoopbackServer silent([](Peer& peer) { peer.wait_closed(); });
  Asker asker;
  const std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    asker.stop.request_stop();
  });
  const auto took = time_of([&] { CHECK(asker.fail(silent.url()).code == ErrorCode::cancelled); });
  CHECK(took < 2s);
  const auto again = time_of([&] { CHECK(asker.fail(silent.url()).code == ErrorCode::cancelled); });
  CHECK(again < 1s);
}

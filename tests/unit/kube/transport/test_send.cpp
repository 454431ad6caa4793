#include "../temp_dir.hpp"
#include "support.hpp"
#include "support/ipv6.hpp"

#include "base/process.hpp"
#include "kube/client.hpp"
#include "kube/connection.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <mutex>

using namespace rb;
using namespace rb::kube;
using namespace rb::kube::test;
using namespace std::chrono_literals;

TEST_CASE("a request goes out as it was made, and its answer comes back whole") {
  std::string seen;
  const LoopbackServer server([&](Peer& peer) {
    seen = peer.read_request();
    peer.write(response(201, "{\"a\":1}", "Retry-After: 7\r\n"));
  });
  const auto transport = connect(server);
  Request request = get("/api/v1/things");
  request.method = Method::post;
  request.query = {{"labelSelector", "a=b,c in (d)"}, {"continue", "x%2B+&="}};
  request.content_type = "application/json";
  request.body = "{}";
  request.user_agent = "railiance-backup/test";
  request.bearer_token = "the-token";
  const auto answer = transport->send(request, {});
  REQUIRE(answer);
  CHECK(answer->status == 201);
  CHECK(answer->body == "{\"a\":1}");
  CHECK(answer->retry_after == 7s);
  CAPTURE(seen);
  const std::string line = seen.substr(0, seen.find("\r\n"));
  CHECK(line == "POST /api/v1/things?labelSelector=a%3Db,c%20in%20(d)&continue=x%252B%2B%26%3D "
                "HTTP/1.1");
  CHECK(seen.find("\r\nAuthorization:Bearer the-token\r\n") != std::string::npos);
  CHECK(seen.find("\r\nUser-Agent:railiance-backup/test\r\n") != std::string::npos);
  CHECK(seen.find("\r\nAccept:application/json\r\n") != std::string::npos);
  CHECK(seen.find("\r\nContent-Type:application/json\r\n") != std::string::npos);
  CHECK(seen.ends_with("\r\n\r\n{}"));
}

TEST_CASE("each method is sent as such") {
  std::mutex mutex;
  std::vector<std::string> methods;
  const LoopbackServer server([&](Peer& peer) {
    for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
      const std::lock_guard lock(mutex);
      methods.push_back(r.substr(0, r.find(' ')));
      peer.write(response(200, "{}"));
    }
  });
  const auto transport = connect(server);
  for (const Method method :
       {Method::get, Method::post, Method::put, Method::patch, Method::remove}) {
    Request request = get("/x");
    request.method = method;
    REQUIRE(transport->send(request, {}));
  }
  const std::lock_guard lock(mutex);
  CHECK(methods == std::vector<std::string>{"GET", "POST", "PUT", "PATCH", "DELETE"});
  CHECK(server.connections() < 5); // kept, mostly: one may not be back in the pool yet
}

TEST_CASE("bodies of a few megabytes come whole, with a length and in chunks") {
  const std::string big(3'000'000, 'z');
  const LoopbackServer server([&](Peer& peer) {
    if (peer.read_request().find("/chunked") == std::string::npos) {
      peer.write(response(200, big));
      return;
    }
    peer.write(k_chunked_head);
    for (std::size_t at = 0; at < big.size(); at += 100'000) {
      peer.write_chunk(big.substr(at, 100'000));
    }
    peer.write(k_last_chunk);
  });
  const auto transport = connect(server);
  CHECK(transport->send(get("/plain"), {}).value().body == big);
  CHECK(transport->send(get("/chunked"), {}).value().body == big);
}

TEST_CASE("a body beyond the limit is refused, announced or not, and the connection ended") {
  for (const bool announced : {true, false}) {
    CAPTURE(announced);
    std::atomic<std::size_t> sent{0};
    const LoopbackServer server([&](Peer& peer) {
      peer.read_request();
      const std::string piece(10'000, 'z');
      peer.write(announced ? "HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n"
                           : k_chunked_head);
      for (int i = 0; i < 100'000 && peer.write_chunk(piece); ++i) {
        sent += piece.size();
      }
    });
    const auto transport = connect(server);
    Request request = get("/x");
    request.body_limit_bytes = 1'000'000;
    const auto refused = transport->send(request, {});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unsupported);
    CHECK(refused.error().message.find("1000000 bytes") != std::string::npos);
    CHECK(sent < 50'000'000);
  }
}

TEST_CASE("a body that is cut short is an error, not a shorter body") {
  const LoopbackServer server([](Peer& peer) {
    const std::string request = peer.read_request();
    if (request.find("/length") != std::string::npos) {
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":");
    } else if (request.find("/chunk") != std::string::npos) {
      peer.write(k_chunked_head + "64\r\n{\"half\":");
    } else {
      peer.write(k_chunked_head);
      peer.write_chunk("{\"half\":");
    }
  });
  const auto transport = connect(server);
  for (const char* path : {"/length", "/chunk", "/end"}) {
    CAPTURE(path);
    const auto cut = transport->send(get(path), {});
    REQUIRE_FALSE(cut);
    CHECK(cut.error().code == ErrorCode::unavailable);
    CHECK(cut.error().message == std::string("GET ") + path + ": connection to " + server.url() +
                                     " lost before the answer's end");
  }
}

TEST_CASE("a connection that is reset, and an answer that is not HTTP, are unavailable") {
  const LoopbackServer server([](Peer& peer) {
    if (peer.read_request().find("/reset") != std::string::npos) {
      peer.reset();
    } else {
      peer.write("SSH-2.0-OpenSSH\r\n\r\n");
    }
  });
  const auto transport = connect(server);
  CHECK(transport->send(get("/reset"), {}).error().code == ErrorCode::unavailable);
  CHECK(transport->send(get("/ssh"), {}).error().code == ErrorCode::unavailable);
}

TEST_CASE("nobody there: refused at once, and told so that a POST may be sent again") {
  std::string url;
  {
    const LoopbackServer gone(always(""));
    url = gone.url();
  }
  ClientConfig config;
  config.server = url;
  const auto refused = connect(std::move(config))->send(get("/x"), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().system_errno == ECONNREFUSED);
  CHECK(refused.error().message == url + ": cannot connect (refused or unreachable)");
}

TEST_CASE("the deadline is for the whole exchange, also when bytes keep dripping") {
  const LoopbackServer server([](Peer& peer) {
    const bool silent = peer.read_request().find("/silent") != std::string::npos;
    if (silent) {
      peer.wait_closed();
      return;
    }
    peer.write(k_chunked_head);
    while (peer.write_chunk("x")) {
      std::this_thread::sleep_for(20ms);
    }
  });
  const auto transport = connect(server);
  for (const char* path : {"/silent", "/drip"}) {
    CAPTURE(path);
    Request request = get(path);
    request.timeout = 300ms;
    const Stopwatch watch;
    const auto late = transport->send(request, {});
    REQUIRE_FALSE(late);
    CHECK(late.error().code == ErrorCode::timeout);
    CHECK(late.error().message.find("300 ms") != std::string::npos);
    CHECK(watch.elapsed() >= 300ms);
    CHECK(watch.elapsed() < 2s);
  }
}

TEST_CASE("a stop ends a request at once, before it and while it waits") {
  const LoopbackServer server([](Peer& peer) {
    peer.read_request();
    peer.wait_closed();
  });
  const auto transport = connect(server);
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(100ms);
    stop.request_stop();
  });
  const Stopwatch watch;
  CHECK(transport->send(get("/x"), stop.get_token()).error().code == ErrorCode::cancelled);
  CHECK(watch.elapsed() < 2s);
  CHECK(transport->send(get("/x"), stop.get_token()).error().code == ErrorCode::cancelled);
}

TEST_CASE("a redirect is not followed: the token goes to no other place") {
  const LoopbackServer elsewhere(always(response(200, "{}")));
  const LoopbackServer server(
      always(response(302, "", "Location: " + elsewhere.url() + "/taken\r\n")));
  const auto transport = connect(server);
  CHECK(transport->send(get("/x"), {}).value().status == 302);
  CHECK(elsewhere.connections() == 0);
}

TEST_CASE("a token that the server refuses is read again from its file, and shown") {
  const TempDir dir;
  FileOrBytes source;
  source.path = dir.write("token", "old");
  const LoopbackServer server([](Peer& peer) {
    for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
      peer.write(r.find("Bearer new\r\n") != std::string::npos ? response(200, "{}")
                                                               : response(401, "{}"));
    }
  });
  const auto http = connect(server);
  const RealClock clock;
  AuthorizingTransport transport(*http, clock, std::move(source));
  CHECK(transport.send(get("/x"), {}).value().status == 401);
  dir.write("token", "new");
  CHECK(transport.send(get("/x"), {}).value().status == 200);
}

TEST_CASE("the client over the wire: 429 with Retry-After is waited for, then it goes on") {
  std::atomic<int> count{0};
  const LoopbackServer server([&](Peer& peer) {
    while (!peer.read_request().empty()) {
      peer.write(++count == 1 ? response(429, "{}", "Retry-After: 1\r\n")
                              : response(200, "{\"kind\":\"Thing\"}"));
    }
  });
  const auto transport = connect(server);
  Client client(*transport);
  const Stopwatch watch;
  const auto thing = client.get({k_config_maps, "ns", "a", {}});
  REQUIRE(thing);
  CHECK((*thing)["kind"] == "Thing");
  CHECK(count == 2);
  CHECK(watch.elapsed() >= 1s);
}

TEST_CASE("a POST on a kept connection that the server closes arrives twice: names must be ours") {
  // Not what we want, but what the library does; the callers' deterministic names rest on it.
  std::atomic<int> posts{0};
  const LoopbackServer server([&](Peer& peer) {
    for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
      const bool post = r.starts_with("POST");
      if (post && ++posts == 1) {
        return;
      }
      peer.write(response(200, "{}"));
    }
  });
  const auto transport = connect(server);
  REQUIRE(transport->send(get("/warm-up"), {}));
  std::this_thread::sleep_for(300ms); // until the connection is back in the pool
  Request post = get("/x");
  post.method = Method::post;
  post.content_type = "application/json";
  post.body = "{}";
  CHECK(transport->send(post, {}).value().status == 200);
  CHECK(posts == 2);
}

TEST_CASE("127.0.0.1 is reached also on a host whose network is IPv6 alone") {
  constexpr const char* k_there = "RB_TEST_IPV6_ALONE"; // set: we are on such a host
  if (process_environment(k_there)) {
    std::string seen;
    const LoopbackServer server([&](Peer& peer) {
      seen = peer.read_request();
      peer.write(response(200, "{}"));
    });
    const auto answer = connect(server)->send(get("/x"), {});
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(seen.find("\r\nHost:127.0.0.1:" + std::to_string(server.port()) + "\r\n") !=
          std::string::npos);
    return;
  }
  const std::string make_host = "ip link set lo up && ip -6 addr add fd00:1::1/128 dev lo nodad";
  const auto in_its_own_network = [](const std::string& commands) {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", "exec unshare -rn sh -ec \"$1\"", "sh", commands};
    for (const char* name : {"PATH", "ASAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"}) {
      if (const auto value = process_environment(name)) {
        spec.environment[name] = *value;
      }
    }
    spec.environment[k_there] = "1";
    return RealProcessRunner().run(spec, {}).value();
  };
  if (in_its_own_network(make_host).exit_status != 0) {
    MESSAGE("NOT RUN: no network of its own, or none with IPv6, can be made here");
    return;
  }
  const std::string self = std::filesystem::read_symlink("/proc/self/exe");
  const ProcessResult there =
      in_its_own_network(make_host + "; exec '" + self + "' '--test-case=127.0.0.1 is reached*'");
  CAPTURE(there.out);
  CAPTURE(there.err);
  CHECK(there.exit_status == 0);
  CHECK(there.out.find("1 passed") != std::string::npos);
}

TEST_CASE("many threads share one transport") {
  const LoopbackServer server(always(response(200, "{}")));
  const auto transport = connect(server);
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 25; ++k) {
          good += transport->send(get("/x"), {}).has_value() ? 1 : 0;
        }
      });
    }
  }
  CHECK(good == 100);
}

TEST_CASE(
    "a server at an address of IPv6 is asked as any other, and told its address in brackets") {
  if (!rb::test::resolves_ipv6()) {
    MESSAGE("NOT RUN: this machine has no network with IPv6");
    return;
  }
  std::mutex mutex;
  std::vector<std::string> seen;
  const LoopbackServer server(
      [&](Peer& peer) {
        for (std::string r = peer.read_request(); !r.empty(); r = peer.read_request()) {
          const std::lock_guard lock(mutex);
          seen.push_back(r);
          peer.write(response(200, "{}"));
        }
      },
      nullptr,
      LoopbackServer::Family::ipv6);
  const auto transport = connect(server);
  for (int i = 0; i < 2; ++i) {
    CHECK(transport->send(get("/x"), {}).value().status == 200);
  }
  const std::lock_guard lock(mutex);
  REQUIRE(seen.size() == 2);
  for (const std::string& request : seen) {
    CAPTURE(request);
    CHECK(request.starts_with("GET /x HTTP/1.1\r\n"));
    CHECK(request.find("\r\nHost:[::1]:" + std::to_string(server.port()) + "\r\n") !=
          std::string::npos);
  }
}

#include "status/serve/connection.hpp"
#include "status/serve/server.hpp"
#include "support/http_socket.hpp"

#include <doctest/doctest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <atomic>
#include <stdexcept>

using namespace rb;
using namespace rb::status;

namespace {

constexpr std::size_t k_limit = 64;

} // namespace

TEST_CASE("the probes answer 200 when well and 503 with the reason when not") {
  std::atomic<bool> synced{false};
  status::Endpoints endpoints;
  endpoints.not_ready_because = [&] { return synced ? "" : "caches not synced"; };
  auto server = status::Server::start("127.0.0.1:0", std::move(endpoints)).value();
  const int port = server->port();
  CHECK(test::http_get(port, "/livez").status == 200);
  const auto waiting = test::http_get(port, "/readyz");
  CHECK(waiting.status == 503);
  CHECK(waiting.body == "caches not synced\n");
  synced = true;
  CHECK(test::http_get(port, "/readyz").status == 200);
  CHECK(test::http_get(port, "/metrics").status == 404);
  CHECK(test::http_get(port, "/../etc/passwd").status == 404);
}

TEST_CASE("metrics come in the text format") {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("demo_total")
      .Help("a demo")
      .Register(*registry)
      .Add({})
      .Increment();
  status::Endpoints endpoints;
  endpoints.metrics = registry;
  auto server = status::Server::start("127.0.0.1:0", std::move(endpoints)).value();
  const auto answer = test::http_get(server->port(), "/metrics?name=all");
  CHECK(answer.status == 200);
  CHECK(answer.body.find("demo_total 1") != std::string::npos);
  CHECK(answer.head.find("Content-Type: text/plain; version=0.0.4") != std::string::npos);
}

TEST_CASE("metrics that cannot be collected are a 500, and the next ones are asked for again") {
  struct Failing final : prometheus::Collectable {
    mutable std::atomic<int> left{1};
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      if (left-- > 0) {
        throw std::runtime_error("not now");
      }
      return {};
    }
  };
  status::Endpoints endpoints;
  endpoints.metrics = std::make_shared<Failing>();
  auto server = status::Server::start("127.0.0.1:0", std::move(endpoints)).value();
  CHECK(test::http_get(server->port(), "/metrics").status == 500);
  CHECK(test::http_get(server->port(), "/metrics").status == 200);
}

TEST_CASE("what is no GET, and what is no HTTP, is told so") {
  auto server = status::Server::start("127.0.0.1:0", {}).value();
  test::HttpSocket posting(server->port());
  posting.send("POST /livez HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody");
  CHECK(test::parse_answer(posting.read_all(std::chrono::seconds(5))).status == 405);
  test::HttpSocket chatting(server->port());
  chatting.send("EHLO example.org\r\n\r\n");
  CHECK(test::parse_answer(chatting.read_all(std::chrono::seconds(5))).status == 400);
}

TEST_CASE("a server that is stopped answers no more, and stopping twice does no harm") {
  auto server = status::Server::start("127.0.0.1:0", {}).value();
  const int port = server->port();
  server->stop();
  server->stop();
  CHECK_FALSE(test::HttpSocket(port).connected());
}

TEST_CASE("an address that cannot be used is an error that names it") {
  for (const char* listen :
       {"", ":80", "localhost", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:"}) {
    CAPTURE(listen);
    CHECK(status::Server::start(listen, {}).error().code == ErrorCode::invalid_argument);
  }
  auto server = status::Server::start("127.0.0.1:0", {}).value();
  const std::string taken = "192.0.2.1:" + std::to_string(server->port());
  const auto second = status::Server::start(taken, {});
  CHECK(second.error().code == ErrorCode::io);
  CHECK(second.error().message.find(taken) == 0);
}

TEST_CASE("a request is whole at its empty line, and its path ends at the question mark") {
  const auto head = read_head("GET /metrics?name=a HTTP/1.1\r\nHost: x\r\n\r\nrest", k_limit);
  CHECK(head.state == HeadState::whole);
  CHECK(head.method == "GET");
  CHECK(head.path == "/metrics");
  CHECK(read_head("GET /livez HTTP/1.0\n\n", k_limit).path == "/livez");
}

TEST_CASE("what has not come yet is waited for, up to the limit") {
  const std::string request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t size = 0; size < request.size(); ++size) {
    CAPTURE(size);
    CHECK(read_head(request.substr(0, size), k_limit).state == HeadState::more_wanted);
  }
  CHECK(read_head(std::string(k_limit - 1, 'x'), k_limit).state == HeadState::more_wanted);
  CHECK(read_head(std::string(k_limit, 'x'), k_limit).state == HeadState::too_long);
  CHECK(read_head(std::string(k_limit, 'x') + "\r\n\r\n", k_limit).state == HeadState::too_long);
}

TEST_CASE("what is not HTTP/1 is told apart") {
  for (const char* text : {"\r\n\r\n",
                           "GET\r\n\r\n",
                           "GET /livez\r\n\r\n",
                           " /livez HTTP/1.1\r\n\r\n",
                           "GET /livez HTTP/2\r\n\r\n",
                           "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(read_head(text, k_limit).state == HeadState::not_http);
  }
}

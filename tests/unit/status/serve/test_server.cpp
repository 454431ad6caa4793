#include "status/serve/connection.hpp"
#include "status/serve/server.hpp"
#include "support/http_socket.hpp"
#include "support/ipv6.hpp"

#include <doctest/doctest.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <thread>

using namespace rb;
using namespace rb::status;

namespace {

constexpr std::size_t k_limit = 64;

/// From here on this thread, and no other, is on a kernel without IPv6. False: it can't be had.
bool lose_ipv6() {
  std::array<sock_filter, 6> filter{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  }};
  sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

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

TEST_CASE("[::] is every address of both families") {
  const auto patience = std::chrono::seconds(5);
  auto server = status::Server::start("[::]:0", {}).value();
  CHECK(test::http_get(server->port(), "/livez").status == 200);
  if (!test::has_ipv6_loopback()) {
    MESSAGE("NOT RUN: this machine has no IPv6");
    return;
  }
  CHECK(test::http_get(server->port(), "/livez", patience, AF_INET6).status == 200);
  auto one = status::Server::start("[::1]:0", {}).value();
  CHECK(test::http_get(one->port(), "/livez", patience, AF_INET6).status == 200);
}

TEST_CASE("where the kernel has no IPv6, [::] is every address of IPv4") {
  bool lost = false;
  std::optional<Result<Listener>> any;
  std::optional<Result<Listener>> loopback;
  std::thread([&] {
    lost = lose_ipv6();
    if (lost) {
      any.emplace(listen_on("[::]:0"));
      loopback.emplace(listen_on("[::1]:0"));
    }
  }).join();
  if (!lost) {
    MESSAGE("NOT RUN: IPv6 cannot be taken from a thread here");
    return;
  }
  REQUIRE(any->has_value());
  CHECK(test::HttpSocket(any->value().port).connected());
  REQUIRE_FALSE(loopback->has_value());
  CHECK(loopback->error().code == ErrorCode::io);
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

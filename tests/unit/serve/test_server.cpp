#include "serve/server.hpp"

#include <doctest/doctest.h>
#include <httplib.h>
#include <prometheus/counter.h>
#include <prometheus/registry.h>

#include <atomic>

using namespace rb;

TEST_CASE("the probes answer 200 when well and 503 with the reason when not") {
  std::atomic<bool> synced{false};
  serve::Endpoints endpoints;
  endpoints.not_ready_because = [&] { return synced ? "" : "caches not synced"; };
  auto server = serve::Server::start("127.0.0.1:0", std::move(endpoints)).value();
  httplib::Client client("127.0.0.1", server->port());
  CHECK(client.Get("/livez")->status == 200);
  const auto waiting = client.Get("/readyz");
  CHECK(waiting->status == 503);
  CHECK(waiting->body == "caches not synced\n");
  synced = true;
  CHECK(client.Get("/readyz")->status == 200);
  CHECK(client.Get("/metrics")->status == 404);
  CHECK(client.Get("/../etc/passwd")->status == 404);
}

TEST_CASE("metrics come in the text format") {
  auto registry = std::make_shared<prometheus::Registry>();
  prometheus::BuildCounter()
      .Name("demo_total")
      .Help("a demo")
      .Register(*registry)
      .Add({})
      .Increment();
  serve::Endpoints endpoints;
  endpoints.metrics = registry;
  auto server = serve::Server::start("127.0.0.1:0", std::move(endpoints)).value();
  httplib::Client client("127.0.0.1", server->port());
  const auto answer = client.Get("/metrics");
  CHECK(answer->status == 200);
  CHECK(answer->body.find("demo_total 1") != std::string::npos);
  CHECK(answer->get_header_value("Content-Type").find("version=0.0.4") != std::string::npos);
}

TEST_CASE("a server that is stopped answers no more, and stopping twice does no harm") {
  auto server = serve::Server::start("127.0.0.1:0", {}).value();
  const int port = server->port();
  server->stop();
  server->stop();
  CHECK_FALSE(httplib::Client("127.0.0.1", port).Get("/livez"));
}

TEST_CASE("an address that cannot be used is an error that names it") {
  for (const char* listen :
       {"", ":80", "localhost", "127.0.0.1:x", "127.0.0.1:70000", "127.0.0.1:"}) {
    CAPTURE(listen);
    CHECK(serve::Server::start(listen, {}).error().code == ErrorCode::invalid_argument);
  }
  auto server = serve::Server::start("127.0.0.1:0", {}).value();
  const std::string taken = "192.0.2.1:" + std::to_string(server->port());
  const auto second = serve::Server::start(taken, {});
  CHECK(second.error().code == ErrorCode::io);
  CHECK(second.error().message.find(taken) == 0);
}

// Anybody on the node can connect to the port of the probes, and to the controller's from any pod
// that the network policy lets through. Sockets that sent a byte a second kept the kubelet from
// its answer: the agent and the controller were restarted, and a run did not end for minutes.
#include "status/serve/server.hpp"
#include "support/http_socket.hpp"

#include <doctest/doctest.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>

#include <atomic>
#include <filesystem>
#include <iterator>
#include <thread>
#include <vector>

using namespace rb;
using namespace std::chrono_literals;

namespace {

constexpr auto k_probe_timeout = 1s; // the kubelet's
constexpr std::string_view k_slow = "GET /livez HTTP/1.1\r\nHost: a-very-patient-client\r\nX: ";

std::shared_ptr<prometheus::Registry> registry_of(std::size_t series) {
  auto registry = std::make_shared<prometheus::Registry>();
  auto& family = prometheus::BuildGauge().Name("demo").Help("a demo").Register(*registry);
  for (std::size_t i = 0; i < series; ++i) {
    family.Add({{"number", std::to_string(i)}}).Set(static_cast<double>(i));
  }
  return registry;
}

std::unique_ptr<status::Server> start(std::size_t series = 10, status::Limits limits = {}) {
  status::Endpoints endpoints;
  endpoints.metrics = registry_of(series);
  return status::Server::start("127.0.0.1:0", std::move(endpoints), limits).value();
}

std::size_t open_descriptors() {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {}));
}

void check_that_all_are_answered(int port) {
  for (const char* path : {"/livez", "/readyz", "/metrics"}) {
    CAPTURE(path);
    CHECK(test::http_get(port, path, k_probe_timeout).status == 200);
  }
}

/// Sockets that behave badly in one of several ways, until they are destroyed.
class Attackers {
public:
  Attackers(int port, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      m_sockets.push_back(std::make_unique<test::HttpSocket>(port));
    }
  }
  /// One byte from each.
  void trickle(std::size_t position) {
    for (const auto& socket : m_sockets) {
      socket->send(k_slow.substr(std::min(position, k_slow.size() - 1), 1));
    }
  }
  void send(std::string_view bytes) {
    for (const auto& socket : m_sockets) {
      socket->send(bytes);
    }
  }
  void half_close() {
    for (const auto& socket : m_sockets) {
      socket->half_close();
    }
  }

private:
  std::vector<std::unique_ptr<test::HttpSocket>> m_sockets;
};

} // namespace

TEST_CASE("sockets that send a byte at a time keep nobody from an answer") {
  for (const std::size_t count : {60U, 600U}) {
    CAPTURE(count);
    const auto server = start();
    Attackers attackers(server->port(), count);
    for (std::size_t position = 0; position < 20; ++position) {
      attackers.trickle(position);
      std::this_thread::sleep_for(50ms);
      check_that_all_are_answered(server->port());
    }
  }
}

TEST_CASE("sockets that send nothing keep nobody from an answer") {
  const auto server = start();
  const Attackers attackers(server->port(), 600);
  check_that_all_are_answered(server->port());
}

TEST_CASE("headers without an end are refused at a bound, however they come") {
  const auto server = start();
  Attackers attackers(server->port(), 60);
  attackers.send("GET /livez HTTP/1.1\r\n");
  const std::string field = "X-More: " + std::string(1000, 'x') + "\r\n";
  for (int i = 0; i < 20; ++i) {
    attackers.send(field);
    check_that_all_are_answered(server->port());
  }
  test::HttpSocket endless(server->port());
  endless.send("GET /livez HTTP/1.1\r\nX: " + std::string(1U << 20U, 'x'));
  CHECK(test::parse_answer(endless.read_all(5s)).status == 431);
}

TEST_CASE("the whole request has one deadline, not each byte of it") {
  status::Limits limits;
  limits.request = 300ms;
  const auto server = start(10, limits);
  test::HttpSocket slow(server->port());
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < 20 && slow.send(k_slow.substr(i, 1)); ++i) {
    std::this_thread::sleep_for(50ms);
  }
  CHECK(std::chrono::steady_clock::now() - begun < 900ms);
  CHECK(slow.read_all(1s) == "");
}

TEST_CASE("who does not read the answer keeps nobody from theirs, and is cut off") {
  status::Limits limits;
  limits.answer = 3s;
  const auto server = start(100'000, limits); // some megabytes
  std::vector<std::unique_ptr<test::HttpSocket>> readers;
  for (int i = 0; i < 40; ++i) {
    readers.push_back(std::make_unique<test::HttpSocket>(server->port(), 4096));
    readers.back()->send("GET /metrics HTTP/1.1\r\n\r\n");
  }
  for (int i = 0; i < 5; ++i) {
    CHECK(test::http_get(server->port(), "/livez", k_probe_timeout).status == 200);
    std::this_thread::sleep_for(50ms);
  }
  const auto answer = test::http_get(server->port(), "/metrics", 20s);
  CHECK(answer.status == 200);
  CHECK(answer.body.find("99999") != std::string::npos);
  std::this_thread::sleep_for(limits.answer + 1s);
  const auto cut = readers.back()->read_all(5s);
  REQUIRE(cut);
  CHECK(cut->size() < answer.body.size());
}

TEST_CASE("metrics that take long to collect do not hold up the probes") {
  struct Slow final : prometheus::Collectable {
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
      std::this_thread::sleep_for(1s);
      return {};
    }
  };
  status::Endpoints endpoints;
  endpoints.metrics = std::make_shared<Slow>();
  const auto server = status::Server::start("127.0.0.1:0", std::move(endpoints)).value();
  Attackers attackers(server->port(), 60);
  attackers.send("GET /metrics HTTP/1.1\r\n\r\n");
  for (int i = 0; i < 5; ++i) {
    CHECK(test::http_get(server->port(), "/livez", 500ms).status == 200);
  }
  CHECK(test::http_get(server->port(), "/metrics", 5s).status == 200);
}

TEST_CASE("clients that close their half, or send many requests at once, get one answer") {
  const auto server = start();
  test::HttpSocket half(server->port());
  half.send("GET /livez HTTP/1.1\r\n\r\n");
  half.half_close();
  CHECK(test::parse_answer(half.read_all(5s)).status == 200);

  test::HttpSocket many(server->port());
  std::string requests;
  for (int i = 0; i < 1000; ++i) {
    requests += "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  many.send(requests);
  const auto answers = many.read_all(5s);
  REQUIRE(answers);
  CHECK(test::parse_answer(answers).body == "ok\n");

  Attackers attackers(server->port(), 600);
  attackers.send("GET /li");
  attackers.half_close();
  check_that_all_are_answered(server->port());
}

TEST_CASE("connections come and go by the thousand, and a probe is answered each time") {
  const auto server = start();
  std::atomic<bool> stop{false};
  std::thread flood([&] {
    while (!stop) {
      const Attackers attackers(server->port(), 100);
    }
  });
  for (int i = 0; i < 20; ++i) {
    CHECK(test::http_get(server->port(), "/livez", k_probe_timeout).status == 200);
    std::this_thread::sleep_for(20ms);
  }
  stop = true;
  flood.join();
}

TEST_CASE("descriptors come back, and stopping does not wait for anybody") {
  const std::size_t before = open_descriptors();
  {
    status::Limits limits;
    limits.request = 200ms;
    limits.farewell = 200ms;
    limits.connections = 32;
    const auto server = start(10, limits);
    Attackers attackers(server->port(), 200);
    attackers.send("GET /livez HTTP/1.1\r\n\r\n");
    CHECK(test::http_get(server->port(), "/livez", k_probe_timeout).status == 200);
    CHECK(open_descriptors() <= before + 200 + 32 + 3); // its own: 32, listener, wake; one to look
    std::this_thread::sleep_for(500ms);
    CHECK(open_descriptors() <= before + 200 + 3);
    attackers.send("G");
    const auto begun = std::chrono::steady_clock::now();
    server->stop();
    CHECK(std::chrono::steady_clock::now() - begun < 500ms);
  }
  CHECK(open_descriptors() == before);
}

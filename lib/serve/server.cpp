#include "serve/server.hpp"

#include <httplib.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <thread>

namespace rb::serve {

namespace {

// A kubelet and a Prometheus at once, and two to spare for slow clients.
constexpr std::size_t k_threads = 4;
constexpr std::time_t k_io_timeout_seconds = 5;

struct Address {
  std::string host;
  int port = 0;
};

Result<Address> parse_address(const std::string& text) {
  const auto colon = text.rfind(':');
  Address address;
  if (colon != std::string::npos && colon > 0) {
    address.host = text.substr(0, colon);
    const char* const end = text.data() + text.size();
    const auto [stop, failed] = std::from_chars(text.data() + colon + 1, end, address.port);
    if (failed == std::errc{} && stop == end && address.port >= 0 && address.port <= 65535) {
      return address;
    }
  }
  return Error{ErrorCode::invalid_argument,
               "listen address '" + text + "': not of the form HOST:PORT",
               "use for example 0.0.0.0:8080"};
}

void answer_probe(httplib::Response& response, const std::function<std::string()>& probe) {
  const std::string problem = probe ? probe() : std::string{};
  response.status = problem.empty() ? 200 : 503;
  response.set_content(problem.empty() ? "ok\n" : problem + "\n", "text/plain; charset=utf-8");
}

void answer_metrics(httplib::Response& response, const prometheus::Collectable& metrics) {
  response.set_content(prometheus::TextSerializer().Serialize(metrics.Collect()),
                       "text/plain; version=0.0.4; charset=utf-8");
}

} // namespace

struct Server::Impl {
  Endpoints endpoints;
  httplib::Server http;
  int port = 0;
  std::atomic<bool> ended{false};
  std::thread thread;

  void configure() {
    http.new_task_queue = [] { return new httplib::ThreadPool(k_threads); };
    http.set_read_timeout(k_io_timeout_seconds);
    http.set_write_timeout(k_io_timeout_seconds);
    http.set_keep_alive_max_count(1);
    http.set_payload_max_length(1);
    http.Get("/livez", [this](const httplib::Request&, httplib::Response& response) {
      answer_probe(response, endpoints.not_alive_because);
    });
    http.Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
      answer_probe(response, endpoints.not_ready_because);
    });
    if (endpoints.metrics) {
      http.Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
        answer_metrics(response, *endpoints.metrics);
      });
    }
  }
};

Server::Server(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>> Server::start(const std::string& listen, Endpoints endpoints) {
  RB_TRY_ASSIGN(const Address address, parse_address(listen));
  auto impl = std::make_unique<Impl>();
  impl->endpoints = std::move(endpoints);
  impl->configure();
  impl->port = address.port;
  const bool bound = address.port == 0
                         ? (impl->port = impl->http.bind_to_any_port(address.host)) > 0
                         : impl->http.bind_to_port(address.host, address.port);
  if (!bound) {
    return Error{ErrorCode::io,
                 listen + ": the address cannot be listened on",
                 "choose another one with --metrics-listen"};
  }
  auto server = std::unique_ptr<Server>(new Server(std::move(impl)));
  httplib::Server& http = server->m_impl->http;
  server->m_impl->thread = std::thread([inner = server->m_impl.get()] {
    inner->http.listen_after_bind();
    inner->ended = true;
  });
  // stop() does nothing before the loop runs, so nobody gets the server earlier.
  while (!http.is_running() && !server->m_impl->ended) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return server;
}

int Server::port() const {
  return m_impl->port;
}

void Server::stop() {
  if (m_impl->thread.joinable()) {
    m_impl->http.stop();
    m_impl->thread.join();
  }
}

} // namespace rb::serve

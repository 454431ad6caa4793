#include "status/serve/server.hpp"

#include "status/serve/connection.hpp"
#include "status/serve/metrics_text.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <system_error>
#include <thread>
#include <vector>

namespace rb::status {

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* k_text = "text/plain; charset=utf-8";
constexpr const char* k_metrics_text = "text/plain; version=0.0.4; charset=utf-8";
/// So many new connections before those that are there get their turn again.
constexpr int k_accepts_in_a_row = 64;
constexpr std::chrono::milliseconds k_no_descriptors_pause{100};

bool any(const Connection&) {
  return true;
}

/// All connections of a server, on one thread that waits for none of them.
class Loop {
public:
  /// `wake` is an eventfd(2).
  Loop(Listener listener, Fd wake, Endpoints endpoints, const Limits& limits);

  /// Serves until stop().
  void run();
  /// From any thread.
  void stop();

private:
  using Time = Connection::Time;

  void wait();
  void accept_all();
  /// Where there are `limit` of those that `counts`, the one that waits for least goes; of several
  /// such, the oldest. True: one went.
  template <typename Counts> bool make_room(std::size_t limit, Counts counts);
  void serve(Connection& connection);
  void read(Connection& connection);
  void respond(Connection& connection, const RequestHead& head);
  void answer_probe(Connection& connection, const std::function<std::string()>& probe);
  void answer(Connection& connection, int status, std::string text);
  void hand_out_metrics();
  void close_overdue();
  void poke() const;
  [[nodiscard]] int wait_milliseconds() const;

  Listener m_listener;
  const Fd m_wake;
  const Endpoints m_endpoints;
  const Limits m_limits;
  std::atomic<bool> m_stopped{false};
  Time m_accept_again{};                 ///< No descriptors are left before.
  std::vector<Connection> m_connections; ///< Oldest first.
  std::vector<short> m_ready;            ///< What poll(2) said of each of them.
  std::unique_ptr<MetricsText> m_metrics;
};

Loop::Loop(Listener listener, Fd wake, Endpoints endpoints, const Limits& limits)
    : m_listener(std::move(listener)), m_wake(std::move(wake)), m_endpoints(std::move(endpoints)),
      m_limits(limits) {
  if (m_endpoints.metrics) {
    m_metrics = std::make_unique<MetricsText>(m_endpoints.metrics, [this] { poke(); });
  }
}

void Loop::stop() {
  m_stopped = true;
  poke();
}

void Loop::poke() const {
  const std::uint64_t one = 1;
  // It fails only where the counter is full, and then the loop is awake.
  [[maybe_unused]] const ssize_t written = ::write(m_wake.get(), &one, sizeof one);
}

void Loop::run() {
  while (!m_stopped) {
    wait();
    hand_out_metrics();
    for (std::size_t i = 0; i < m_connections.size(); ++i) {
      if (m_ready[i] != 0 && !m_connections[i].closed()) {
        serve(m_connections[i]);
      }
    }
    accept_all();
    close_overdue();
  }
  m_connections.clear();
  m_listener.socket = Fd();
}

void Loop::wait() {
  std::vector<pollfd> watched;
  watched.reserve(m_connections.size() + 2);
  for (const Connection& connection : m_connections) {
    watched.push_back({connection.fd(), connection.events(), 0});
  }
  watched.push_back({m_wake.get(), POLLIN, 0});
  if (Clock::now() >= m_accept_again) {
    watched.push_back({m_listener.socket.get(), POLLIN, 0});
  }
  ::poll(watched.data(), watched.size(), wait_milliseconds());
  m_ready.clear();
  for (std::size_t i = 0; i < m_connections.size(); ++i) {
    m_ready.push_back(watched[i].revents);
  }
  std::uint64_t pokes = 0;
  [[maybe_unused]] const ssize_t read = ::read(m_wake.get(), &pokes, sizeof pokes);
}

int Loop::wait_milliseconds() const {
  Time next = Time::max();
  for (const Connection& connection : m_connections) {
    next = std::min(next, connection.deadline());
  }
  const Time now = Clock::now();
  if (now < m_accept_again) {
    next = std::min(next, m_accept_again);
  }
  if (next == Time::max()) {
    return -1;
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

void Loop::accept_all() {
  for (int i = 0; i < k_accepts_in_a_row && Clock::now() >= m_accept_again; ++i) {
    Fd socket(::accept4(m_listener.socket.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    const int why = socket.valid() ? 0 : errno;
    if (why == EAGAIN) {
      return;
    }
    if (why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM) {
      if (!make_room(1, any)) {
        m_accept_again = Clock::now() + k_no_descriptors_pause;
      }
    }
    if (why != 0) {
      continue; // this one is gone already
    }
    make_room(m_limits.connections, any);
    m_connections.emplace_back(std::move(socket), Clock::now() + m_limits.request);
    serve(m_connections.back()); // most have asked already
  }
}

template <typename Counts> bool Loop::make_room(std::size_t limit, Counts counts) {
  const auto open = [&](const Connection& connection) {
    return !connection.closed() && counts(connection);
  };
  if (static_cast<std::size_t>(std::ranges::count_if(m_connections, open)) < limit) {
    return false;
  }
  Connection* goes = nullptr;
  for (Connection& connection : m_connections) {
    if (open(connection) && (goes == nullptr || connection.phase() < goes->phase())) {
      goes = &connection;
    }
  }
  if (goes != nullptr) {
    goes->close();
  }
  return goes != nullptr;
}

void Loop::serve(Connection& connection) {
  switch (connection.phase()) {
  case Phase::reading:
    return read(connection);
  case Phase::answering:
    return connection.send(Clock::now() + m_limits.farewell);
  case Phase::farewell:
    return connection.discard();
  case Phase::awaiting_metrics: // only an error wakes it: the client is gone
    return connection.close();
  }
}

void Loop::read(Connection& connection) {
  connection.receive(m_limits.head_bytes);
  const RequestHead head = read_head(connection.received(), m_limits.head_bytes);
  switch (head.state) {
  case HeadState::more_wanted:
    if (connection.ended()) {
      connection.close();
    }
    return;
  case HeadState::too_long:
    return answer(connection, 431, "the headers are too long\n");
  case HeadState::not_http:
    return answer(connection, 400, "this is not HTTP\n");
  case HeadState::whole:
    return respond(connection, head);
  }
}

void Loop::respond(Connection& connection, const RequestHead& head) {
  if (head.method != "GET") {
    return answer(connection, 405, "GET only\n");
  }
  if (head.path == "/livez") {
    return answer_probe(connection, m_endpoints.not_alive_because);
  }
  if (head.path == "/readyz") {
    return answer_probe(connection, m_endpoints.not_ready_because);
  }
  if (head.path == "/metrics" && m_metrics) {
    make_room(m_limits.metrics_connections,
              [](const Connection& other) { return other.reads_metrics(); });
    return connection.await_metrics(m_metrics->ask(), Clock::now() + m_limits.answer);
  }
  answer(connection, 404, "there are /livez, /readyz and /metrics\n");
}

void Loop::answer_probe(Connection& connection, const std::function<std::string()>& probe) {
  const std::string problem = probe ? probe() : std::string{};
  answer(connection, problem.empty() ? 200 : 503, problem.empty() ? "ok\n" : problem + "\n");
}

void Loop::answer(Connection& connection, int status, std::string text) {
  const Time now = Clock::now();
  connection.answer(
      status, k_text, std::make_shared<const std::string>(std::move(text)), now + m_limits.answer);
  connection.send(now + m_limits.farewell);
}

void Loop::hand_out_metrics() {
  if (!m_metrics) {
    return;
  }
  const MetricsText::Rendered newest = m_metrics->newest();
  for (std::size_t i = 0; i < m_connections.size(); ++i) {
    Connection& connection = m_connections[i];
    if (connection.closed() || connection.phase() != Phase::awaiting_metrics ||
        connection.metrics_number() > newest.number) {
      continue;
    }
    m_ready[i] = 0; // served now
    if (!newest.text) {
      answer(connection, 500, "the metrics cannot be collected\n");
      continue;
    }
    const Time now = Clock::now();
    connection.answer(200, k_metrics_text, newest.text, now + m_limits.answer);
    connection.send(now + m_limits.farewell);
  }
}

void Loop::close_overdue() {
  const Time now = Clock::now();
  for (Connection& connection : m_connections) {
    if (connection.deadline() <= now) {
      connection.close();
    }
  }
  std::erase_if(m_connections, [](const Connection& connection) { return connection.closed(); });
}

} // namespace

struct Server::Impl {
  int port = 0;
  Loop loop;
  std::thread thread;

  Impl(Listener listener, Fd wake, Endpoints endpoints, const Limits& limits)
      : port(listener.port),
        loop(std::move(listener), std::move(wake), std::move(endpoints), limits),
        thread([this] { loop.run(); }) {}
};

Server::Server(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}

Server::~Server() {
  stop();
}

Result<std::unique_ptr<Server>>
Server::start(const std::string& listen, Endpoints endpoints, Limits limits) {
  RB_TRY_ASSIGN(Listener listener, listen_on(listen));
  Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) {
    return system_error(errno, "eventfd");
  }
  try {
    return std::unique_ptr<Server>(new Server(std::make_unique<Impl>(
        std::move(listener), std::move(wake), std::move(endpoints), limits)));
  } catch (const std::system_error& failed) {
    return system_error(failed.code().value(), listen + ": no thread can be started");
  }
}

int Server::port() const {
  return m_impl->port;
}

void Server::stop() {
  if (m_impl->thread.joinable()) {
    m_impl->loop.stop();
    m_impl->thread.join();
  }
}

} // namespace rb::status

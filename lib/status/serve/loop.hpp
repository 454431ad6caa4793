// All connections of a server, on one thread that waits for none of them.
#pragma once

#include "status/serve/connection.hpp"
#include "status/serve/listener.hpp"
#include "status/serve/metrics_text.hpp"
#include "status/serve/request_head.hpp"
#include "status/serve/server.hpp"

#include <atomic>
#include <vector>

namespace rb::status {

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

} // namespace rb::status

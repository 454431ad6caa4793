// The sockets of the server: the one that is listened on, and each client from accept to close,
// with what it has asked for. Nothing here ever waits.
#pragma once

#include "base/fd.hpp"
#include "base/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace rb::status {

enum class HeadState {
  more_wanted, ///< The empty line has not come yet.
  whole,
  too_long, ///< No empty line within the limit.
  not_http,
};

struct RequestHead {
  HeadState state = HeadState::more_wanted;
  std::string method{}; // NOLINT(readability-redundant-member-init)
  std::string path{};   ///< Without what follows a '?'. NOLINT(readability-redundant-member-init)
};

/// From the bytes that have come so far. Pure. Header fields are passed over; what follows the
/// empty line is not looked at.
[[nodiscard]] RequestHead read_head(std::string_view received, std::size_t limit_bytes);

/// In the order in which connections go when there are too many.
enum class Phase {
  farewell, ///< All is sent; it is only kept so that the client gets to read it.
  reading,
  answering,
  awaiting_metrics,
};

/// One client.
class Connection {
public:
  using Time = std::chrono::steady_clock::time_point;

  Connection(Fd socket, Time deadline) : m_socket(std::move(socket)), m_deadline(deadline) {}

  [[nodiscard]] int fd() const { return m_socket.get(); }
  [[nodiscard]] Phase phase() const { return m_phase; }
  [[nodiscard]] Time deadline() const { return m_deadline; }
  [[nodiscard]] bool closed() const { return !m_socket.valid(); }
  [[nodiscard]] const std::string& received() const { return m_received; }
  [[nodiscard]] bool reads_metrics() const {
    return m_metrics_number != 0 && m_phase != Phase::farewell;
  }
  [[nodiscard]] std::uint64_t metrics_number() const { return m_metrics_number; }
  /// What poll(2) should look for.
  [[nodiscard]] short events() const;

  /// The client has closed its end: nothing more will come.
  [[nodiscard]] bool ended() const { return m_ended; }

  /// Takes what has come, at most up to `limit_bytes` in all.
  void receive(std::size_t limit_bytes);
  /// Waits for the metrics text of that number.
  void await_metrics(std::uint64_t number, Time deadline);
  /// Begins to send; `body` may be shared with others.
  void answer(int status, const char* type, std::shared_ptr<const std::string> body, Time deadline);
  /// Sends as much as the client takes. After the last byte the connection stays until the client
  /// closes its end, or `farewell`: closing earlier would take from it what it has not read yet.
  void send(Time farewell);
  /// Throws away what comes during the farewell.
  void discard();
  /// What the client has not taken goes with it: the kernel would keep that, on our account, for
  /// as long as the client pleases.
  void close();

private:
  Fd m_socket;
  Time m_deadline;
  Phase m_phase = Phase::reading;
  std::string m_received;
  bool m_ended = false;
  std::uint64_t m_metrics_number = 0;
  std::string m_head;
  std::shared_ptr<const std::string> m_body;
  std::size_t m_sent = 0;
};

/// The socket that is listened on.
struct Listener {
  Fd socket; ///< Non-blocking, not inherited by programs.
  int port = 0;
};

/// `listen` is "HOST:PORT" or "[HOST]:PORT"; port 0 takes a free one. "[::]" is every address of
/// both families, and of IPv4 alone where the kernel has no IPv6. Errors: invalid_argument, io.
[[nodiscard]] Result<Listener> listen_on(const std::string& listen);

} // namespace rb::status

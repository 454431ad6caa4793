// What a transport has besides its HTTP library: deadlines, what may end an exchange before its
// end, and what a TLS connection trusts and shows (OpenSSL).
#pragma once

#include "kube/client_config.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

struct ssl_ctx_st;
struct x509_store_ctx_st;

namespace rb::kube {

/// Calls back when a deadline passes. One thread serves all deadlines of a transport. Safe to
/// share. Outlives its Alarms.
class DeadlineTimer {
public:
  using TimePoint = std::chrono::steady_clock::time_point;

  DeadlineTimer();
  ~DeadlineTimer();
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;
  DeadlineTimer(DeadlineTimer&&) = delete;
  DeadlineTimer& operator=(DeadlineTimer&&) = delete;

  /// One deadline. After the destructor the callback does not run, and is not running.
  class Alarm {
  public:
    /// `expired` is called once, on the timer's thread; it is short and does not use the timer.
    Alarm(DeadlineTimer& timer, std::chrono::milliseconds delay, std::function<void()> expired);
    ~Alarm();
    Alarm(const Alarm&) = delete;
    Alarm& operator=(const Alarm&) = delete;
    Alarm(Alarm&&) = delete;
    Alarm& operator=(Alarm&&) = delete;

    /// The deadline is `delay` from now. Nothing happens when it has passed already.
    void restart(std::chrono::milliseconds delay);

  private:
    DeadlineTimer& m_timer;
    std::uint64_t m_id;
  };

private:
  struct Entry {
    TimePoint due;
    std::function<void()> expired;
  };

  void run(const std::stop_token& stop);
  /// Returns the id of the entry.
  std::uint64_t add(std::chrono::milliseconds delay, std::function<void()> expired);
  TimePoint earliest_locked() const;
  void fire_due_locked();

  std::mutex m_mutex;
  std::condition_variable_any m_changed;
  std::map<std::uint64_t, Entry> m_entries; ///< A handful: requests in flight.
  std::uint64_t m_next_id = 0;
  TimePoint m_sleeping_until{};
  std::jthread m_thread;
};

/// What ended an exchange before its end.
enum class Ending { none, stopped, deadline, too_large, not_chunked, enough };

/// How far the HTTP library has read beyond what was taken from it. Shared with its threads, which
/// may outlive the exchange.
struct Flow {
  std::atomic<Ending> ending{Ending::none};
  std::atomic<std::uint64_t> taken_bytes{0};
  std::uint64_t ahead_limit_bytes = 0;

  /// The library has read `read_bytes` in all: true (and the ending is too_large) when that is more
  /// than we let it hold.
  bool is_too_far_ahead(std::uint64_t read_bytes);
};

/// One under way. Ends by itself when `stop` comes or the deadline passes. After the destructor
/// `cancel` is not running and will not be called.
class Exchange {
public:
  /// `cancel` is called at most a few times, from any thread; it is short.
  Exchange(DeadlineTimer& timer,
           std::chrono::milliseconds timeout,
           std::uint64_t ahead_limit_bytes,
           const std::stop_token& stop,
           std::function<void()> cancel);

  /// The first reason stays.
  void end(Ending why);
  [[nodiscard]] Ending ending() const { return m_flow->ending.load(); }

  [[nodiscard]] const std::shared_ptr<Flow>& flow() const { return m_flow; }
  void restart_deadline(std::chrono::milliseconds timeout) { m_alarm.restart(timeout); }

private:
  std::shared_ptr<Flow> m_flow;
  std::function<void()> m_cancel;
  DeadlineTimer::Alarm m_alarm;
  std::stop_callback<std::function<void()>> m_on_stop;
};

// The kernel finds a peer dead that has answered nothing for 45 s, which is what client-go's pings
// take.
inline constexpr int k_alive_idle_seconds = 30; ///< Silence before the first probe.
inline constexpr int k_alive_interval_seconds = 5;
inline constexpr int k_alive_probes = 3;

/// A connection whose other end lost its power, or from which the network was cut off, then fails
/// although nothing is to be sent: a watch that waits for events would take the silence for rest.
void keep_alive(int socket);

/// Certificates and keys of one server, and why the last verification failed. Safe to share;
/// outlives the contexts that it set up.
class TlsSetup {
public:
  /// `server_name`: the name or the IP address that the server's certificate must be for.
  TlsSetup(FileOrBytes ca,
           FileOrBytes client_certificate,
           FileOrBytes client_key,
           std::string server_name);

  /// TLS 1.2 or newer; trusts the given CA alone (or the system's, when none was given), and only a
  /// server of that name, whatever check the context has besides; the files are read now. Errors:
  /// not_found, permission_denied, corrupt, unsupported (a key with a passphrase).
  [[nodiscard]] Status apply(ssl_ctx_st* context);

  /// Remembers the error of apply for take_failure: the library loses it.
  void note(Error error);

  /// Why the last handshake failed on our side, and forgets it; "" when unknown.
  [[nodiscard]] std::string take_failure();

  /// For hints: "the CA in FILE", "the CA of the kubeconfig", "the CAs of the system".
  [[nodiscard]] std::string ca_name() const;

private:
  static int verify(x509_store_ctx_st* store, void* self);

  const FileOrBytes m_ca;
  const FileOrBytes m_certificate;
  const FileOrBytes m_key;
  const std::string m_server_name;
  std::mutex m_mutex;
  std::string m_failure;
};

} // namespace rb::kube

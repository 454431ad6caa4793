// Turns SIGINT, SIGTERM and SIGHUP into a request to stop, for work that must clean up after
// itself.
#pragma once

#include <csignal>
#include <stop_token>
#include <thread>

namespace rb::restore {

/// While it lives the first of these signals requests a stop; a second one ends the program at
/// once, with exit status 130. Make it before any other thread: those that exist keep their
/// signals.
class Interrupts {
public:
  /// `outer` requests the stop, too.
  explicit Interrupts(const std::stop_token& outer);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  Interrupts(Interrupts&&) = delete;
  Interrupts& operator=(Interrupts&&) = delete;

  [[nodiscard]] std::stop_token token() const { return m_stop.get_token(); }

private:
  sigset_t m_signals{};
  sigset_t m_before{};
  std::stop_source m_stop;
  std::jthread m_thread;
};

} // namespace rb::restore

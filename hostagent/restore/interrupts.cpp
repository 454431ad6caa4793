#include "restore/interrupts.hpp"

#include <pthread.h>
#include <unistd.h>

#include <ctime>

namespace rb::restore {

namespace {

constexpr int k_interrupted = 130; // as shells report SIGINT

void watch(const std::stop_token& end,
           const sigset_t& signals,
           const std::stop_token& outer,
           std::stop_source& stop) {
  const timespec step{0, 100'000'000};
  while (!end.stop_requested()) {
    if (outer.stop_requested()) {
      stop.request_stop();
    }
    if (::sigtimedwait(&signals, nullptr, &step) > 0 && !stop.request_stop()) {
      ::_exit(k_interrupted);
    }
  }
}

} // namespace

Interrupts::Interrupts(const std::stop_token& outer) {
  sigemptyset(&m_signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&m_signals, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &m_signals, &m_before);
  m_thread = std::jthread(
      [this, outer](const std::stop_token& end) { watch(end, m_signals, outer, m_stop); });
}

Interrupts::~Interrupts() {
  m_thread.request_stop();
  m_thread.join();
  ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr);
}

} // namespace rb::restore

// railiance-backup: signals, terminal and random numbers for run().
#include "cli/connect.hpp"
#include "cli/run.hpp"

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "kube/transport_cpprest.hpp"

#include <openssl/rand.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string_view>
#include <thread>

namespace {

/// Turns the first SIGINT or SIGTERM into a stop; the second one ends the process. Made before any
/// other thread, so that all of them leave these signals to it.
class Signals {
public:
  Signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
    m_signals = rb::Fd(signalfd(-1, &set, SFD_CLOEXEC));
    m_end = rb::Fd(eventfd(0, EFD_CLOEXEC));
    m_thread = std::thread([this] { watch(); });
  }
  ~Signals() {
    const std::uint64_t one = 1;
    if (write(m_end.get(), &one, sizeof one) == sizeof one) {
      m_thread.join();
    } else {
      m_thread.detach();
    }
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  Signals(Signals&&) = delete;
  Signals& operator=(Signals&&) = delete;

  [[nodiscard]] std::stop_token token() const { return m_stop.get_token(); }
  [[nodiscard]] int seen() const { return m_seen.load(); }

private:
  void watch() {
    std::array<pollfd, 2> polled{{{m_signals.get(), POLLIN, 0}, {m_end.get(), POLLIN, 0}}};
    while (true) {
      if (poll(polled.data(), polled.size(), -1) < 0) {
        continue;
      }
      if (polled[1].revents != 0) {
        return;
      }
      signalfd_siginfo info{};
      if (read(m_signals.get(), &info, sizeof info) != sizeof info) {
        continue;
      }
      if (m_seen.exchange(static_cast<int>(info.ssi_signo)) != 0) {
        _exit(128 + static_cast<int>(info.ssi_signo));
      }
      m_stop.request_stop();
    }
  }

  rb::Fd m_signals;
  rb::Fd m_end;
  std::stop_source m_stop;
  std::atomic<int> m_seen{0};
  std::thread m_thread;
};

std::string random_id() {
  std::array<std::uint8_t, 16> bytes{};
  RAND_bytes(bytes.data(), static_cast<int>(bytes.size()));
  return rb::to_hex(bytes);
}

/// no-color.org: set and not empty, whatever its value.
bool wants_colour() {
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

unsigned terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80U;
}

} // namespace

int main(int argc, char** argv) {
  Signals signals;
  rb::kube::initialize_http_threads(2);
  const rb::RealClock clock;
  const std::vector<std::string> args(argv + (argc > 0 ? 1 : 0), argv + argc);
  rb::cli::Io io{std::cout, std::cerr, clock, rb::cli::connect_to_cluster, random_id, {}, {}};
  io.stop = signals.token();
  io.stop_signal = [&signals] { return signals.seen(); };
  io.err_is_terminal = isatty(STDERR_FILENO) == 1;
  io.out_colour = isatty(STDOUT_FILENO) == 1 && wants_colour();
  io.terminal_width = terminal_width();
  const int code = rb::cli::run(args, io);
  std::cout.flush();
  return code;
}

// What a command of any of our programs touches besides its own work, so that tests run whole
// commands in their own process; how it says that it failed, and how signals end it.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/fd.hpp"

#include <atomic>
#include <csignal>
#include <functional>
#include <initializer_list>
#include <ostream>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace rb {

struct ProgramIo {
  std::string_view program; ///< What its messages begin with.
  std::ostream& out;        ///< Results.
  std::ostream& err;        ///< Progress, warnings, errors and hints.
  const Clock& clock;
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  std::stop_token stop = {}; ///< Somebody wants it to end.
};

/// Prints "PROGRAM: message" and the hint; returns the exit code.
int fail(const ProgramIo& io, const Error& error, ExitCode code);

/// The same with the exit code of the error.
int fail(const ProgramIo& io, const Error& error);

/// "PROGRAM: warning: …"
void warn(const ProgramIo& io, std::string_view message);

/// The last act of a program: what it printed goes out. `code`; or that of a failure, which is
/// said, where results did not arrive (a full disk) and all went well till then. A reader that has
/// had enough (`| head`) is no failure. `out_fd` is where `out` leads.
int flush_results(const ProgramIo& io, int out_fd, int code);

/// What the parser of a command line (CLI11) says of a wrong one, in the form of our messages.
/// `remaining` is what it could not place; `commands` are those that there are, for a person.
[[nodiscard]] Error usage_error(std::string message,
                                const std::vector<std::string>& remaining,
                                const std::string& program,
                                std::string_view commands);

/// Turns signals into a request to stop, for work that must clean up after itself. While it lives
/// the first of its signals requests a stop; one that comes when a stop is requested already ends
/// the program at once, with the exit status 128 + signal. SIGHUP never is that second one, nor is
/// the first one after it: a lost terminal is told twice, by the shell and by the kernel, and the
/// end of a session together with SIGTERM, in either order. Where it is ignored (nohup) it stays
/// so. Make it before any other thread: those that exist keep their signals.
class StopSignals {
public:
  /// `outer` requests the stop, too.
  explicit StopSignals(std::initializer_list<int> signals, const std::stop_token& outer = {});
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  StopSignals(StopSignals&&) = delete;
  StopSignals& operator=(StopSignals&&) = delete;

  [[nodiscard]] std::stop_token token() const { return m_stop.get_token(); }

  /// The signal that requested the stop, or 0.
  [[nodiscard]] int seen() const { return m_seen.load(); }

private:
  void watch();

  sigset_t m_before{};
  Fd m_signals;
  Fd m_end; ///< An eventfd: the destructor's word to the thread.
  std::stop_source m_stop;
  std::stop_callback<std::function<void()>> m_on_outer;
  std::atomic<int> m_seen{0};
  std::jthread m_thread;
};

// Lines that are drawn anew on a terminal.

/// A terminal that can take a line back; not one that calls itself dumb (Emacs's shell).
[[nodiscard]] bool can_redraw(int fd);

/// How many columns the terminal has now; 80 where it does not say. A line that is longer wraps,
/// and is no more taken back whole.
[[nodiscard]] unsigned columns_of(int fd);

} // namespace rb
